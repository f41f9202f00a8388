# kitchen
kubectl patch deployment kitchen -p '{"spec":{"strategy":{"rollingUpdate":{"maxSurge":0,"maxUnavailable":1}}}}'
kubectl set image deployment/kitchen web=podlab/web:2
kubectl rollout status deployment/kitchen

# menu
kubectl rollout undo deployment/menu --to-revision=1
kubectl rollout status deployment/menu
