# patient
kubectl delete pod slow --ignore-not-found
kubectl apply -f - <<'EOF'
apiVersion: v1
kind: Pod
metadata:
  name: slow
spec:
  terminationGracePeriodSeconds: 2
  containers:
  - name: web
    image: podlab/web:v1
    command: ['sh', '-c', 'echo preparing; sleep 45; exec web']
    startupProbe:
      httpGet:
        path: /healthz
        port: 8080
      periodSeconds: 5
      failureThreshold: 24
    livenessProbe:
      httpGet:
        path: /healthz
        port: 8080
EOF
sleep 60

# sturdy
kubectl apply -f - <<'EOF'
apiVersion: apps/v1
kind: Deployment
metadata:
  name: order
spec:
  replicas: 3
  selector:
    matchLabels:
      app: order
  template:
    metadata:
      labels:
        app: order
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: web
        image: podlab/web:v1
        command: ['sh', '-c', 'sleep 8; exec web']
        readinessProbe:
          httpGet:
            path: /ready
            port: 8080
          periodSeconds: 5
        livenessProbe:
          httpGet:
            path: /healthz
            port: 8080
          periodSeconds: 5
---
apiVersion: v1
kind: Service
metadata:
  name: order
spec:
  selector:
    app: order
  ports:
  - port: 80
    targetPort: 8080
EOF
kubectl scale deployment db --replicas=0
kubectl rollout status deployment order
