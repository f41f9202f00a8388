# patient
sed -i 's/timeout: 5s/timeout: 5s\n                      retry_policy: {retry_on: 5xx, num_retries: 3}/' kiosk.yaml
kubectl apply -f kiosk.yaml
sleep 10

# guest
sed -i 's/all-unauthenticated/all-authenticated/' vault.yaml
kubectl apply -f vault.yaml
kubectl apply -f - <<'EOF'
apiVersion: v1
kind: Pod
metadata:
  name: guest
  labels:
    app: guest
    linkerd.io/control-plane-ns: linkerd
spec:
  terminationGracePeriodSeconds: 1
  serviceAccountName: ticket
  initContainers:
  - name: linkerd-init
    image: cr.l5d.io/linkerd/proxy-init:v2.4.2
    args: [--incoming-proxy-port, "4143", --outgoing-proxy-port, "4140", --proxy-uid, "2102", --inbound-ports-to-ignore, "4190,4191"]
    securityContext:
      runAsUser: 0
      capabilities:
        add: [NET_ADMIN, NET_RAW]
  containers:
  - name: app
    image: busybox
    command: ['sh', '-c', 'while sleep 3; do wget -qO- http://vault/; done']
  - name: linkerd-proxy
    image: cr.l5d.io/linkerd/proxy:edge-25.4.1
    env:
    - name: LINKERD2_PROXY_IDENTITY_LOCAL_NAME
      value: ticket.default.serviceaccount.identity.linkerd.cluster.local
    securityContext:
      runAsUser: 2102
EOF
sleep 10
