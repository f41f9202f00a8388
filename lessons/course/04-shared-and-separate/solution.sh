# table
kubectl create configmap findings --from-literal=net=함께 --from-literal=uts=함께 --from-literal=ipc=함께 --from-literal=pid=따로 --from-literal=mnt=따로

# bell
kubectl apply -f - <<'YAML'
apiVersion: v1
kind: Pod
metadata:
  name: bell
spec:
  terminationGracePeriodSeconds: 1
  shareProcessNamespace: true
  containers:
  - name: app
    image: busybox
    command: ['sh', '-c', 'trap "echo 종소리를 들었습니다" USR1; while true; do sleep 1; done', 'listener']
  - name: bell
    image: busybox
    command: ['sh', '-c', 'while sleep 5; do kill -USR1 $(pgrep -f "[l]istener") && echo 종을 쳤습니다; done']
YAML
