# typo
kubectl set image deployment/cafe web=podlab/web:1
kubectl rollout status deployment/cafe

# probe
kubectl patch deployment news -p '{"spec":{"template":{"spec":{"containers":[{"name":"web","livenessProbe":{"httpGet":{"path":"/healthz"}}}]}}}}'
kubectl rollout status deployment/news

# full
kubectl patch deployment crunch -p '{"spec":{"template":{"spec":{"nodeSelector":null}}}}'
kubectl rollout status deployment/crunch

# port
kubectl set env deployment/duo -c admin PORT=8080
kubectl rollout status deployment/duo

# config
kubectl create configmap menu-setting --from-literal=greeting=welcome
kubectl rollout status deployment/menu

# memory
kubectl set resources deployment/thumb --requests=memory=200Mi --limits=memory=200Mi
kubectl rollout status deployment/thumb

# selector
kubectl set selector service desk app=desk,tier=front

# rollout
kubectl patch deployment blog -p '{"spec":{"template":{"spec":{"containers":[{"name":"web","readinessProbe":{"httpGet":{"port":8080}}}]}}}}'
kubectl rollout status deployment/blog

# sidecar
kubectl delete job settle
kubectl apply -f - <<'END'
apiVersion: batch/v1
kind: Job
metadata:
  name: settle
spec:
  template:
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: 2
      volumes:
      - name: logs
        emptyDir: {}
      initContainers:
      - name: shipper
        image: busybox
        restartPolicy: Always
        command: ['sh', '-c', 'touch /logs/app.log; tail -f /logs/app.log']
        volumeMounts:
        - {name: logs, mountPath: /logs}
      containers:
      - name: work
        image: busybox
        command: ['sh', '-c', 'for n in 1 2 3 4 5; do echo "line $n" >> /logs/app.log; sleep 1; done']
        volumeMounts:
        - {name: logs, mountPath: /logs}
END
kubectl wait --for=condition=complete job/settle --timeout=60s

# dead-node
sleep 75
kubectl taint node node-3 node.kubernetes.io/out-of-service=nodeshutdown:NoExecute
sleep 30
