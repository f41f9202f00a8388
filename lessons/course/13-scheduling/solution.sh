# split
kubectl apply -f guests.yaml
kubectl delete pod duo
sed 's/requests: {}/requests: {cpu: 600m, memory: 300Mi}/' split.yaml | kubectl apply -f -
kubectl wait --for=condition=Ready pod/front pod/back pod/newcomer --timeout=60s

# vault
kubectl taint node node-1 team=data:NoSchedule
kubectl run vault --image=redis --overrides='{"spec":{"nodeSelector":{"disk":"ssd"},"tolerations":[{"key":"team","operator":"Equal","value":"data","effect":"NoSchedule"}]}}'
kubectl wait --for=condition=Ready pod/vault --timeout=60s
