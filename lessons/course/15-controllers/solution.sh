# veteran
kubectl apply -f - <<'EOF'
apiVersion: apps/v1
kind: ReplicaSet
metadata:
  name: veteran
spec:
  replicas: 3
  selector:
    matchLabels:
      app: veteran
  template:
    metadata:
      labels:
        app: veteran
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: web
        image: podlab/web:3
EOF

# hotline
kubectl patch deployment hotline -p '{"spec":{"replicas":2,"template":{"spec":{"tolerations":[{"key":"node.kubernetes.io/unreachable","operator":"Exists","effect":"NoExecute","tolerationSeconds":30},{"key":"node.kubernetes.io/not-ready","operator":"Exists","effect":"NoExecute","tolerationSeconds":30}]}}}}'
kubectl rollout status deployment hotline
