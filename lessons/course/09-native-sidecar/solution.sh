# gate
kubectl delete pod gate --ignore-not-found
kubectl apply -f - <<'YAML'
apiVersion: v1
kind: Pod
metadata:
  name: gate
spec:
  terminationGracePeriodSeconds: 2
  initContainers:
  - name: proxy
    image: podlab/web:1
    restartPolicy: Always
    command: ['sh', '-c', 'sleep 6; exec web']
    startupProbe:
      httpGet:
        path: /healthz
        port: 8080
      periodSeconds: 1
      failureThreshold: 30
  containers:
  - name: app
    image: busybox
    command: ['sh', '-c', 'wget -qO /dev/null localhost:8080/healthz || exit 1; echo 첫 시도에 들어갔습니다; while true; do sleep 1; done']
YAML

# night
kubectl apply -f night.yaml
kubectl delete job night
kubectl apply -f - <<'YAML'
apiVersion: batch/v1
kind: Job
metadata:
  name: night
spec:
  template:
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: 10
      volumes:
      - name: logs
        emptyDir: {}
      - name: programs
        configMap:
          name: night
      initContainers:
      - name: shipper
        image: busybox
        restartPolicy: Always
        command: ['sh', '/programs/ship.sh']
        volumeMounts:
        - {name: logs, mountPath: /logs}
        - {name: programs, mountPath: /programs}
      containers:
      - name: work
        image: busybox
        command: ['sh', '/programs/work.sh']
        volumeMounts:
        - {name: logs, mountPath: /logs}
        - {name: programs, mountPath: /programs}
YAML
