# memo
kubectl apply -f - <<'EOF'
apiVersion: v1
kind: Pod
metadata:
  name: memo
  labels:
    app: memo
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: app
    image: podlab/legacy:1.0
    env:
    - name: LISTEN
      value: 127.0.0.1
  - name: proxy
    image: quay.io/oauth2-proxy/oauth2-proxy:v7.12.0
    args:
    - --provider=oidc
    - --oidc-issuer-url=http://node-1:30556/dex
    - --client-id=memo
    - --email-domain=podlab.test
    - --http-address=0.0.0.0:4180
    - --upstream=http://127.0.0.1:8080/
    - --skip-provider-button
    - --api-route=^/api/
    - --skip-jwt-bearer-tokens
    - --cookie-secure=false
    envFrom:
    - secretRef:
        name: proxy
---
apiVersion: v1
kind: Service
metadata:
  name: memo
spec:
  type: NodePort
  selector:
    app: memo
  ports:
  - port: 80
    targetPort: 4180
    nodePort: 30081
EOF

# desk
sed -i -e 's/port: 8080/port: 4180/' -e 's/--skip-provider-button/--skip-provider-button\n    - --skip-auth-route=GET=^\/healthz$/' desk.yaml
kubectl replace --force -f desk.yaml
