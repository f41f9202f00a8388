# soup
kubectl apply -f - <<'YAML'
apiVersion: v1
kind: Pod
metadata:
  name: soup
spec:
  terminationGracePeriodSeconds: 1
  volumes:
  - name: pot
    emptyDir: {}
  initContainers:
  - name: boil
    image: busybox
    command: ['sh', '-c', 'sleep 3; echo 물 > /pot/soup']
    volumeMounts:
    - {name: pot, mountPath: /pot}
  - name: season
    image: busybox
    command: ['sh', '-c', 'grep -q 물 /pot/soup || { echo 물이 없습니다; exit 1; }; echo 소금 >> /pot/soup']
    volumeMounts:
    - {name: pot, mountPath: /pot}
  containers:
  - name: serve
    image: busybox
    command: ['sh', '-c', '[ "$(cat /pot/soup | tr -d "\n")" = 물소금 ] || { echo 싱겁습니다; exit 1; }; echo 짭짤한 국; while true; do sleep 1; done']
    volumeMounts:
    - {name: pot, mountPath: /pot}
YAML

# mute
kubectl debug mute --image=busybox --target=app -c look -- sh -c 'cd /proc/1/root; cat seal/code'
sleep 5
kubectl logs mute -c look
kubectl create configmap found --from-literal=code=$(kubectl logs mute -c look)
