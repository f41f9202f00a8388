# board
kubectl apply -f - <<'EOF'
apiVersion: v1
kind: Pod
metadata:
  name: board
spec:
  volumes:
  - name: page
    emptyDir: {}
  containers:
  - name: pen
    image: busybox
    command: ['sh', '-c', 'while true; do echo "오늘의 소식 $(date)" > /page/index.html; sleep 5; done']
    volumeMounts:
    - name: page
      mountPath: /page
  - name: web
    image: nginx
    volumeMounts:
    - name: page
      mountPath: /usr/share/nginx/html
EOF

# ledger
kubectl apply -f - <<'EOF'
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: book
spec:
  accessModes: [ReadWriteOnce]
  resources:
    requests:
      storage: 100Mi
EOF
sed -i 's/emptyDir: {}/persistentVolumeClaim: {claimName: book}/' ledger.yaml
kubectl apply -f ledger.yaml
sleep 5
kubectl delete pod ledger
kubectl apply -f ledger.yaml
