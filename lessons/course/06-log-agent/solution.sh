# cafe
sed -i 's,path /logs/app.log,path /logs/cafe.log,' cafe.yaml
kubectl apply -f cafe.yaml
sleep 40

# press
kubectl apply -f - <<'YAML'
apiVersion: v1
kind: ConfigMap
metadata:
  name: press
data:
  fluent-bit.conf: |
    [SERVICE]
        flush 1
    [INPUT]
        name             tail
        path             /var/log/app/press.log
        read_from_head   on
        refresh_interval 5
        tag              press
    [OUTPUT]
        name   loki
        match  *
        host   loki
        labels job=press
---
apiVersion: v1
kind: Pod
metadata:
  name: press
spec:
  terminationGracePeriodSeconds: 5
  volumes:
  - name: logs
    emptyDir: {}
  - name: settings
    configMap:
      name: press
  initContainers:
  - name: agent
    image: fluent/fluent-bit:4.1.0
    restartPolicy: Always
    volumeMounts:
    - name: logs
      mountPath: /var/log/app
      readOnly: true
    - name: settings
      mountPath: /fluent-bit/etc
  containers:
  - name: app
    image: podlab/shop
    env:
    - {name: LOG_FILE, value: /var/log/app/press.log}
    - {name: EVERY_MS, value: "3000"}
    volumeMounts:
    - name: logs
      mountPath: /var/log/app
YAML
sleep 40
