# greeting
kubectl apply -f - <<'EOF'
apiVersion: v1
kind: Pod
metadata:
  name: hello
  labels:
    app: hello
spec:
  containers:
  - name: hello
    image: busybox
    command: ['sh', '-c', 'echo 반갑습니다 && sleep 3600']
EOF

# tidy
kubectl delete pod crowded
kubectl apply -f - <<'EOF'
apiVersion: v1
kind: Pod
metadata:
  name: tidy
spec:
  containers:
  - name: web
    image: nginx
  - name: clock
    image: busybox
    command: ['sh', '-c', 'while true; do echo 째깍; sleep 5; done']
EOF
