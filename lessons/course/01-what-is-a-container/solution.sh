# pins
sed -e '/name: ledger/,/image:/s/python:slim/python:3.9-slim/' -e 's/python:slim/python:3.12-slim/' pins.yaml | kubectl apply -f -

# keeper
sed '/command/d' keeper.yaml | kubectl apply -f -
kubectl wait --for=condition=Ready pod/keeper
kubectl exec keeper -- nginx -s stop
