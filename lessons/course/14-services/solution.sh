# mend
kubectl patch service shop --type=merge -p '{"spec":{"selector":{"app":"shop"},"ports":[{"port":80,"targetPort":8080}]}}'

# by-name
kubectl expose deployment api --port=80 --target-port=8080
kubectl set env deployment/front API=api
kubectl rollout status deployment/front
sleep 10
