# mend
kubectl delete pod twins --ignore-not-found
kubectl apply -f - <<'EOF'
apiVersion: v1
kind: ConfigMap
metadata:
  name: second-conf
data:
  default.conf: |
    server {
      listen 8080;
      location / {
        root /usr/share/nginx/html;
      }
    }
---
apiVersion: v1
kind: Pod
metadata:
  name: twins
spec:
  containers:
  - name: first
    image: nginx
  - name: second
    image: nginx
    volumeMounts:
    - name: conf
      mountPath: /etc/nginx/conf.d
  volumes:
  - name: conf
    configMap:
      name: second-conf
EOF

# inner
kubectl apply -f - <<'EOF'
apiVersion: v1
kind: ConfigMap
metadata:
  name: inner-conf
data:
  default.conf: |
    server {
      listen 127.0.0.1:8080;
      location / {
        root /usr/share/nginx/html;
      }
    }
---
apiVersion: v1
kind: Pod
metadata:
  name: inner
spec:
  containers:
  - name: front
    image: nginx
  - name: app
    image: nginx
    volumeMounts:
    - name: conf
      mountPath: /etc/nginx/conf.d
  volumes:
  - name: conf
    configMap:
      name: inner-conf
EOF
