# climber
kubectl delete pod climber --ignore-not-found
kubectl apply -f - <<'YAML'
apiVersion: v1
kind: Pod
metadata:
  name: climber
spec:
  restartPolicy: OnFailure
  volumes:
  - name: progress
    emptyDir: {}
  containers:
  - name: app
    image: busybox
    command:
    - sh
    - -c
    - |
      mkdir -p /progress
      echo 한 걸음 >> /progress/steps
      steps=$(wc -l < /progress/steps)
      echo "$steps걸음까지 올라왔습니다"
      if [ $steps -ge 3 ]; then echo 정상에 올랐습니다; exit 0; fi
      sleep 1
      exit 1
    volumeMounts:
    - name: progress
      mountPath: /progress
YAML

# closer
kubectl delete pod closer --ignore-not-found
sed "s/PeriodSeconds: 10/PeriodSeconds: 30/; s|command: \['sh', '-c', 'sh /app/serve.sh.*|command: ['sh', '/app/serve.sh']|" closer.yaml | kubectl apply -f -
kubectl wait --for=condition=Ready pod/closer
kubectl delete pod closer
