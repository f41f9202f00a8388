# split
sed -i 's/replicas: 1 # 백엔드/replicas: 3/; s/localhost:8080/mall-back/' mall-split.yaml
kubectl apply -f mall-split.yaml
kubectl expose deployment mall-back --port=80 --target-port=8080
kubectl delete deployment mall
sleep 5

# join
kubectl delete deployment puller
kubectl patch deployment pages -p '{"spec":{"template":{"spec":{"initContainers":[{"name":"puller","image":"busybox","restartPolicy":"Always","command":["sh","-c","while true; do echo \"<h1>today'"'"'s menu</h1>\" > /html/index.html; sleep 5; done"],"volumeMounts":[{"name":"html","mountPath":"/html"}]}]}}}}'
kubectl rollout status deployment/pages
