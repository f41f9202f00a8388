# everywhere
kubectl patch daemonset agent -p '{"spec":{"template":{"spec":{"tolerations":[{"key":"team","value":"ml","effect":"NoSchedule"}]}}}}'
kubectl rollout status daemonset agent

# bill
kubectl delete deployment bill
kubectl create cronjob bill-nightly --image=busybox --schedule='0 3 * * *' -- sh -c 'echo "counting bills"; sleep 5; echo "all bills sent"'
kubectl patch cronjob bill-nightly -p '{"spec":{"concurrencyPolicy":"Forbid"}}'
kubectl create job bill --from=cronjob/bill-nightly
kubectl wait --for=condition=complete job/bill --timeout=60s
