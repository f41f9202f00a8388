"""The table of the stand-ins (stand_ins.py): which public images there are, where they listen and what they say."""

from __future__ import annotations

# repositories | ports | what it says to a request ({host}, {ip}, {peer}, {tag} are filled in), or "grpc": it answers health checks alone
SERVERS = """
docker.io/luksa/quote-api | 8080 | Quote of the moment from {host}
docker.io/nginxdemos/hello docker.io/nginxdemos/nginx-hello | 80 8080 | Server address: {ip}:80
docker.io/bitnami/wordpress | 8080 | WordPress
docker.io/library/ghost | 2368 | Ghost
docker.io/library/tomcat docker.io/bitnami/tomcat docker.io/jenkins/jenkins | 8080 50000 | {host}
docker.io/library/drupal docker.io/library/joomla docker.io/library/nextcloud docker.io/library/phpmyadmin | 80 | {host}
docker.io/library/caddy | 80 | {host}
docker.io/library/adminer docker.io/library/traefik | 8080 | {host}
docker.io/library/registry | 5000 | {{}}
docker.io/grafana/grafana | 3000 | Grafana
docker.io/prom/prometheus quay.io/prometheus/prometheus | 9090 | Prometheus Server is Ready.
docker.io/prom/node-exporter quay.io/prometheus/node-exporter | 9100 | Node Exporter
docker.io/prom/alertmanager quay.io/prometheus/alertmanager | 9093 | Alertmanager
docker.io/kicbase/echo-server docker.io/jmalloc/echo-server | 8080 | Request served by {host}
docker.io/ealen/echo-server docker.io/mendhak/http-https-echo | 80 8080 | {{"host":"{host}"}}
docker.io/paulbouwer/hello-kubernetes | 8080 | Hello Kubernetes! {host}
docker.io/stefanprodan/podinfo ghcr.io/stefanprodan/podinfo | 9898 | {{"hostname":"{host}","message":"greetings from podinfo v{tag}"}}
gcr.io/google-samples/gb-frontend gcr.io/google_samples/gb-frontend us-docker.pkg.dev/google-samples/containers/gke/gb-frontend | 80 | Guestbook
docker.io/corelab/gb-frontend | 80 | Guestbook
registry.k8s.io/guestbook k8s.gcr.io/guestbook | 3000 | Guestbook
gcr.io/google-samples/hello-go-gke us-docker.pkg.dev/google-samples/containers/gke/hello-go-gke | 80 | {{"message":"Hello"}}
gcr.io/google-samples/hello-frontend us-docker.pkg.dev/google-samples/containers/gke/hello-frontend | 80 | {{"message":"Hello"}}
us-docker.pkg.dev/google-samples/containers/gke/whereami gcr.io/google-samples/whereami | 8080 | {{"pod_name":"{host}"}}
registry.k8s.io/goproxy k8s.gcr.io/goproxy | 8080 |
registry.k8s.io/serve_hostname k8s.gcr.io/serve_hostname gcr.io/google_containers/serve_hostname | 9376 | {host}
registry.k8s.io/test-webserver k8s.gcr.io/test-webserver gcr.io/google_containers/test-webserver | 80 | {host}
registry.k8s.io/etcd k8s.gcr.io/etcd quay.io/coreos/etcd gcr.io/etcd-development/etcd | 2379 2380 | {{"health":"true"}}
registry.k8s.io/coredns/coredns docker.io/coredns/coredns | 8080 8181 9153 | OK
registry.k8s.io/metrics-server/metrics-server | 10250 | ok
registry.k8s.io/ingress-nginx/controller | 80 443 10254 | ok
registry.k8s.io/kube-scheduler registry.k8s.io/kube-controller-manager registry.k8s.io/cloud-controller-manager | 10259 | ok
k8s.gcr.io/cloud-controller-manager | 10258 | ok
registry.k8s.io/kas-network-proxy/proxy-server | 8090 8091 8095 8134 8132 8133 8092 | ok
registry.k8s.io/kas-network-proxy/proxy-agent us.gcr.io/k8s-artifacts-prod/kas-network-proxy/proxy-agent | 8093 8094 | ok
docker.io/library/cassandra gcr.io/google-samples/cassandra | 9042 7000 7001 7199 |
docker.io/library/zookeeper docker.io/bitnami/zookeeper docker.io/confluentinc/cp-zookeeper | 2181 2888 3888 |
docker.io/apache/kafka docker.io/bitnami/kafka docker.io/confluentinc/cp-kafka | 9092 |
docker.io/library/influxdb | 8086 | {{}}
docker.io/library/couchdb | 5984 | {{"couchdb":"Welcome"}}
docker.io/library/nats | 4222 8222 | {{}}
docker.io/library/eclipse-mosquitto | 1883 |
docker.io/bitnami/nginx | 8080 | Welcome to nginx!
docker.io/bitnami/postgresql | 5432 |
docker.io/bitnami/mysql docker.io/bitnami/mariadb | 3306 |
docker.io/bitnami/mongodb | 27017 |
docker.io/minio/minio quay.io/minio/minio | 9000 9001 | MinIO
docker.io/hashicorp/vault docker.io/library/vault | 8200 | {{}}
docker.io/hashicorp/consul docker.io/library/consul | 8500 8600 | {{}}
docker.io/selenium/hub docker.io/selenium/standalone-chrome docker.io/selenium/standalone-firefox | 4444 | {{"value":{{"ready":true}}}}
docker.io/selenium/node-chrome docker.io/selenium/node-chrome-debug docker.io/selenium/node-firefox | 5555 5900 | {{}}
docker.io/selenium/node-firefox-debug docker.io/selenium/node-edge | 5555 5900 | {{}}
quay.io/pires/hazelcast-kubernetes docker.io/hazelcast/hazelcast docker.io/hazelcast/hazelcast-kubernetes | 5701 | {{"nodeState":"ACTIVE"}}
registry.k8s.io/rethinkdb docker.io/library/rethinkdb | 8080 28015 29015 | RethinkDB Administration Console
registry.k8s.io/spark docker.io/apache/spark docker.io/bitnami/spark | 7077 8080 | Spark Master at spark://{host}:7077
registry.k8s.io/zeppelin docker.io/apache/zeppelin | 8080 | Zeppelin
docker.io/mattf/storm-nimbus | 6627 |
docker.io/mattf/storm-worker | 6700 6701 6702 6703 |
docker.io/mattf/zookeeper | 2181 2888 3888 |
docker.io/cockroachdb/cockroach | 26257 8080 | ok
registry.k8s.io/elasticsearch quay.io/pires/docker-elasticsearch-kubernetes | 9200 9300 | {{"name":"{host}","tagline":"You Know, for Search"}}
docker.io/resouer/mytomcat | 8080 | Sample "Hello, World" Application
docker.io/openshift/origin | 8443 53 | ok
docker.io/openshift/etcd-20-centos7 | 2379 2380 | {{"health":"true"}}
docker.io/linsun/guestbook docker.io/ibmcom/guestbook docker.io/istio/examples-guestbook docker.io/kubernetes/guestbook | 3000 | Guestbook
docker.io/linsun/analyzer docker.io/ibmcom/analyzer | 80 | []
docker.io/kubernetes/example-guestbook-php-redis | 80 | Guestbook
docker.io/newrelic/infrastructure docker.io/newrelic/nrsysmond docker.io/sysdig/agent docker.io/sysdig/falco docker.io/falcosecurity/falco | |
docker.io/endocode/celery-app-add docker.io/endocode/flower | 5555 | Flower
registry.k8s.io/nfs-data | 2049 20048 111 |
registry.k8s.io/explorer | 8080 | {host}
registry.k8s.io/example-dns-backend | 8000 | Hello World!
docker.io/tensorflow/serving | 8500 8501 | {{"model_version_status":[{{"version":"1","state":"AVAILABLE"}}]}}
docker.io/vllm/vllm-openai | 8000 | {{"object":"list","data":[]}}
docker.io/ollama/ollama | 11434 | Ollama is running
quay.io/ramalama/ramalama | 8080 | ok
docker.io/jupyterhub/k8s-hub quay.io/jupyterhub/k8s-hub | 8081 | {{"version":"{tag}"}}
nvcr.io/nvidia/k8s/dcgm-exporter | 9400 | # DCGM
docker.io/nvidia/k8s-device-plugin nvcr.io/nvidia/k8s-device-plugin | |
registry.k8s.io/prometheus-adapter/prometheus-adapter | 6443 | ok
registry.k8s.io/sig-storage/csi-provisioner registry.k8s.io/sig-storage/csi-attacher registry.k8s.io/sig-storage/csi-resizer | 8080 | ok
registry.k8s.io/sig-storage/csi-snapshotter registry.k8s.io/sig-storage/livenessprobe | 9808 | ok
registry.k8s.io/sig-storage/csi-node-driver-registrar registry.k8s.io/sig-storage/hostpathplugin registry.k8s.io/sig-storage/snapshot-controller | |
registry.k8s.io/sig-storage/nfs-provisioner registry.k8s.io/sig-storage/nfs-subdir-external-provisioner | |
quay.io/external_storage/nfs-client-provisioner quay.io/k8scsi/csi-provisioner registry.k8s.io/networking/ip-masq-agent | |
registry.k8s.io/ip-masq-agent-amd64 registry.k8s.io/dns/k8s-dns-node-cache docker.io/gluster/gluster-centos | |
docker.io/fluent/fluentd-kubernetes-daemonset | 24231 | # fluentd
registry.k8s.io/kube-apiserver | 6443 | ok
registry.k8s.io/heapster-amd64 | 8082 | ok
registry.k8s.io/leader-elector | 4040 | {{"name":"{host}"}}
registry.k8s.io/defaultbackend registry.k8s.io/defaultbackend-amd64 | 8080 | default backend - 404
registry.k8s.io/nginx-ingress-controller quay.io/kubernetes-ingress-controller/nginx-ingress-controller | 80 443 10254 | ok
docker.io/nginx/nginx-ingress | 80 443 8081 | ok
docker.io/kubernetesui/dashboard registry.k8s.io/kubernetes-dashboard-amd64 | 9090 8443 | Kubernetes Dashboard
docker.io/kubernetesui/metrics-scraper | 8000 | ok
quay.io/keycloak/keycloak docker.io/jboss/keycloak | 8080 9000 | {{"status":"UP"}}
docker.io/library/mongo-express | 8081 | Mongo Express
docker.io/library/kibana | 5601 | {{"status":{{"overall":{{"level":"available"}}}}}}
docker.io/library/logstash | 5044 9600 | {{"status":"green"}}
docker.io/library/haproxy docker.io/library/varnish | 80 | {host}
docker.io/library/kong | 8000 8001 | {{}}
docker.io/jaegertracing/all-in-one | 16686 14268 14269 | Jaeger UI
docker.io/openzipkin/zipkin | 9411 | {{"status":"UP"}}
docker.io/library/sonarqube | 9000 | SonarQube
docker.io/sonatype/nexus3 | 8081 | Nexus
docker.io/gitea/gitea | 3000 22 | Gitea
docker.io/jboss/wildfly docker.io/arungupta/wildfly-mysql-javaee7 | 8080 9990 | Welcome to WildFly
docker.io/dockersamples/examplevotingapp_vote docker.io/dockersamples/examplevotingapp_result | 80 | {host}
docker.io/kodekloud/examplevotingapp_vote docker.io/kodekloud/examplevotingapp_result | 80 | {host}
docker.io/dockersamples/examplevotingapp_worker docker.io/kodekloud/examplevotingapp_worker docker.io/kodekloud/event-simulator | |
docker.io/kodekloud/webapp-color docker.io/argoproj/rollouts-demo | 8080 | Hello from {host}
docker.io/tutum/hello-world docker.io/crccheck/hello-world | 80 8000 | Hello {host}
docker.io/vad1mo/hello-world-rest docker.io/training/webapp | 5050 5000 | Hello world!
mcr.microsoft.com/azuredocs/azure-vote-front mcr.microsoft.com/azuredocs/aks-helloworld | 80 | Azure Voting App
docker.io/weaveworksdemos/front-end | 8079 | Socks
docker.io/weaveworksdemos/carts docker.io/weaveworksdemos/catalogue docker.io/weaveworksdemos/orders docker.io/weaveworksdemos/payment | 80 | {{}}
docker.io/weaveworksdemos/shipping docker.io/weaveworksdemos/user docker.io/weaveworksdemos/queue-master | 80 | {{}}
registry.k8s.io/update-demo | 80 | {{"image":"{tag}.jpg"}}
docker.io/library/elasticsearch | 9200 9300 | {{"name":"{host}","status":"green","tagline":"You Know, for Search"}}
docker.elastic.co/elasticsearch/elasticsearch | 9200 9300 | {{"name":"{host}","status":"green","tagline":"You Know, for Search"}}
docker.io/google/cadvisor gcr.io/cadvisor/cadvisor | 8080 | ok
registry.k8s.io/volume-nfs k8s.gcr.io/volume-nfs gcr.io/google_containers/volume-nfs docker.io/itsthenetwork/nfs-server-alpine | 2049 20048 111 |
registry.k8s.io/fluentd-gcp k8s.gcr.io/fluentd-gcp quay.io/fluentd_elasticsearch/fluentd k8s.gcr.io/fluentd-elasticsearch | |
registry.k8s.io/fluentd-elasticsearch gcr.io/google-containers/fluentd-elasticsearch registry.k8s.io/prometheus-to-sd | |
registry.k8s.io/node-problem-detector k8s.gcr.io/node-problem-detector registry.k8s.io/event-exporter k8s.gcr.io/event-exporter | |
registry.k8s.io/kube-proxy registry.k8s.io/node-problem-detector/node-problem-detector registry.k8s.io/dra-example-driver/dra-example-driver | |
registry.k8s.io/cpa/cluster-proportional-autoscaler k8s.gcr.io/cluster-proportional-autoscaler-amd64 | |
registry.k8s.io/cluster-proportional-autoscaler-amd64 docker.io/luksa/website-controller | |
quay.io/mhausenblas/yages | 9000 |
docker.io/nigelpoulton/k8sbook docker.io/nigelpoulton/getting-started-k8s docker.io/nigelpoulton/qsk-book | 8080 | Kubernetes rocks!
docker.io/nigelpoulton/gsd docker.io/nigelpoulton/pluralsight-docker-ci docker.io/nigelpoulton/ddd-book | 8080 | {host}
docker.io/kelseyhightower/monolith docker.io/kelseyhightower/hello docker.io/kelseyhightower/auth | 80 81 | {{"message":"Hello"}}
docker.io/udacity/example-monolith docker.io/udacity/example-hello docker.io/udacity/example-auth | 80 81 | {{"message":"Hello"}}
docker.io/stacksimplify/kubenginx docker.io/stacksimplify/kube-nginxapp1 docker.io/stacksimplify/kube-nginxapp2 | 80 | Stack Simplify {tag}
docker.io/stacksimplify/kube-nginxapp3 docker.io/stacksimplify/kube-frontend-nginx docker.io/stacksimplify/kubenginxhelm | 80 | Stack Simplify {tag}
docker.io/stacksimplify/kube-helloworld docker.io/stacksimplify/kube-usermgmt-webapp | 8080 | Hello World {tag} {host}
docker.io/stacksimplify/kube-usermanagement-microservice | 8095 | User Management Service {tag}
docker.io/istio/examples-helloworld-v1 | 5000 | Hello version: v1, instance: {host}
docker.io/istio/examples-helloworld-v2 | 5000 | Hello version: v2, instance: {host}
docker.io/istio/proxyv2 docker.io/istio/pilot | 15000 15001 15021 15090 | ok
gcr.io/heptio-images/ks-guestbook-demo docker.io/kubeguide/guestbook-php-frontend quay.io/argoprojlabs/argocd-e2e-container | 80 | Guestbook
quay.io/argoproj/argocd | 8080 8081 8082 8083 8084 9001 | Argo CD
docker.io/dockercoins/rng | 80 | RNG running on {host}
docker.io/dockercoins/hasher | 80 | HASHER running on {host}
docker.io/dockercoins/webui | 80 | DockerCoin Miner WebUI
docker.io/jpetazzo/color | 80 | This is pod {host}
docker.io/jpetazzo/httpenv docker.io/bretfisher/httpenv | 8888 | {{"HOSTNAME":"{host}"}}
docker.io/kodekloud/simple-webapp docker.io/mmumshad/simple-webapp-color docker.io/kodekloud/webapp-conntest | 8080 | Hello from {host}
docker.io/kodekloud/simple-webapp-mysql docker.io/kodekloud/webapp-delayed-start | 8080 | Hello from {host}
docker.io/docker/getting-started docker.io/rancher/hello-world docker.io/yeasy/simple-web docker.io/dockercloud/hello-world | 80 | Hello {host}
docker.io/openshift/hello-openshift quay.io/openshifttest/hello-openshift | 8080 8888 | Hello OpenShift!
docker.io/ikubernetes/myapp | 80 | Hello MyApp | Version: {tag}
docker.io/janakiramm/myapp docker.io/schoolofdevops/vote docker.io/schoolofdevops/vote-result | 80 | {host}
docker.io/schoolofdevops/worker docker.io/rancher/local-path-provisioner | |
docker.io/jwilder/whoami | 8000 | I'm {host}
docker.io/kubeguide/tomcat-app mcr.microsoft.com/dotnet/samples | 8080 | {host}
quay.io/brancz/prometheus-example-app | 8080 | Hello from example application.
docker.io/parseplatform/parse-server | 1337 | {{"status":"ok"}}
docker.io/weaveworksdemos/edge-router | 80 8080 | Socks
docker.io/weaveworksdemos/catalogue-db | 3306 |
docker.io/weaveworksdemos/user-db | 27017 |
docker.io/otel/opentelemetry-collector docker.io/otel/opentelemetry-collector-contrib | 4317 4318 8888 13133 | {{"status":"Server available"}}
docker.io/portainer/portainer-ce | 9000 9443 8000 | Portainer
docker.io/library/redmine | 3000 | Redmine
docker.io/library/odoo | 8069 8072 | Odoo
docker.io/library/chronograf | 8888 | Chronograf
docker.io/library/telegraf | |
docker.io/library/neo4j | 7474 7687 | {{"neo4j_version":"{tag}"}}
docker.io/library/solr | 8983 | Solr Admin
docker.io/library/arangodb | 8529 | {{"server":"arango"}}
docker.io/emqx/emqx | 1883 8083 18083 | EMQX Dashboard
docker.io/osixia/openldap docker.io/bitnami/openldap | 389 636 |
docker.io/gitlab/gitlab-ce | 80 22 | GitLab
docker.io/dgraph/dgraph | 8080 9080 5080 6080 | [{{"status":"healthy"}}]
gcr.io/google-samples/microservices-demo/frontend | 8080 | Online Boutique
gcr.io/google-samples/microservices-demo/adservice | 9555 | grpc
gcr.io/google-samples/microservices-demo/cartservice | 7070 | grpc
gcr.io/google-samples/microservices-demo/checkoutservice | 5050 | grpc
gcr.io/google-samples/microservices-demo/currencyservice | 7000 | grpc
gcr.io/google-samples/microservices-demo/emailservice gcr.io/google-samples/microservices-demo/recommendationservice | 8080 | grpc
gcr.io/google-samples/microservices-demo/paymentservice gcr.io/google-samples/microservices-demo/shippingservice | 50051 | grpc
gcr.io/google-samples/microservices-demo/productcatalogservice | 3550 | grpc
gcr.io/google-samples/microservices-demo/loadgenerator | |
docker.io/fortio/fortio | 8080 8079 8078 8081 | Fortio
quay.io/kiali/kiali | 20001 9090 | {{"status":"OK"}}
ghcr.io/prometheus-operator/prometheus-config-reloader quay.io/prometheus-operator/prometheus-config-reloader | 8080 | ok
quay.io/prometheus-operator/prometheus-operator quay.io/coreos/prometheus-operator | 8080 | ok
docker.io/jaegertracing/jaeger | 16686 16685 4317 4318 5778 8888 9411 13133 14250 14268 | {{"status":"StatusOK"}}
docker.io/openzipkin/zipkin-slim | 9411 | {{"status":"UP"}}
docker.io/grafana/loki-canary | 3500 | # loki-canary
docker.io/apache/skywalking-oap-server | 11800 12800 | {{}}
docker.io/apache/skywalking-ui | 8080 | SkyWalking
docker.io/prom/statsd-exporter | 9102 9125 | # statsd_exporter
docker.io/prom/memcached-exporter | 9150 | # memcached_exporter
docker.io/prom/blackbox-exporter | 9115 | Blackbox Exporter
docker.io/prom/pushgateway | 9091 | Pushgateway
docker.io/oliver006/redis_exporter | 9121 | # redis_exporter
docker.io/kiwigrid/k8s-sidecar quay.io/kiwigrid/k8s-sidecar docker.io/weaveworksdemos/load-test docker.elastic.co/beats/filebeat | |
docker.elastic.co/beats/metricbeat gcr.io/google-samples/sd-dummy-exporter gcr.io/google-samples/direct-to-sd | |
registry.k8s.io/kube-state-metrics/kube-state-metrics quay.io/coreos/kube-state-metrics | 8080 8081 | # kube-state-metrics
registry.k8s.io/external-dns/external-dns registry.opensource.zalan.do/teapot/external-dns | 7979 | OK
registry.k8s.io/metrics-server-amd64 | 443 4443 10250 | ok
docker.io/library/jenkins docker.io/jenkinsci/jenkins | 8080 50000 | {host}
docker.io/richardchesterwood/k8s-fleetman-webapp-angular | 80 | Fleet Management
docker.io/richardchesterwood/k8s-fleetman-queue | 61616 8161 | ActiveMQ
docker.io/richardchesterwood/k8s-fleetman-position-tracker docker.io/richardchesterwood/k8s-fleetman-api-gateway | 8080 | []
docker.io/richardchesterwood/k8s-fleetman-position-simulator docker.io/dockersamples/votingapp_worker | |
docker.io/dockersamples/votingapp_vote docker.io/dockersamples/votingapp_result | 80 | {host}
docker.io/wurstmeister/kafka | 9092 |
docker.io/wurstmeister/zookeeper | 2181 2888 3888 |
docker.io/library/couchbase | 8091 8092 11210 | Couchbase
docker.io/dpage/pgadmin4 docker.io/phpmyadmin/phpmyadmin | 80 | {host}
docker.io/verdaccio/verdaccio | 4873 | Verdaccio
docker.io/payara/server-full | 8080 4848 | Payara Server
docker.io/openliberty/open-liberty icr.io/appcafe/open-liberty | 9080 9443 | Welcome to Open Liberty
mcr.microsoft.com/mssql/server | 1433 |
public.ecr.aws/l6m2t8p7/docker-2048 docker.io/alexwhen/docker-2048 docker.io/evilroot/docker-2048 | 80 | 2048
public.ecr.aws/aws-containers/ecsdemo-nodejs public.ecr.aws/aws-containers/ecsdemo-frontend | 3000 | {host}
docker.io/inanimate/echo-server docker.io/brndnmtthws/nginx-echo-headers docker.io/stefanscherer/whoami | 8080 | Request served by {host}
docker.io/karthequian/helloworld docker.io/scottsbaldwin/docker-hello-world docker.io/dockerbogo/docker-nginx-hello-world | 80 | Hello {host}
docker.io/strm/helloworld-http | 80 | HTTP Hello World from {host}
docker.io/katacoda/docker-http-server | 80 | <h1>This request was processed by host: {host}</h1>
docker.io/cilium/json-mock quay.io/cilium/json-mock | 80 | Ship landed
docker.io/nicholasjackson/fake-service | 9090 | {{"name":"{host}","body":"Hello World","code":200}}
docker.io/hashicorp/counting-service | 80 | {{"count":1,"hostname":"{host}"}}
docker.io/hashicorp/dashboard-service | 80 | Dashboard
docker.io/hashicorp/vault-k8s docker.io/hashicorpdemoapp/public-api docker.io/hashicorpdemoapp/payments | 8080 | ok
docker.io/hashicorpdemoapp/frontend | 3000 | HashiCups
docker.io/hashicorpdemoapp/product-api | 9090 | []
docker.io/hashicorpdemoapp/product-api-db | 5432 |
docker.io/wardviaene/k8s-demo | 3000 | Hello World!
docker.io/monopole/hello | 8080 | Version {tag} : Good Morning!
docker.io/nigelpoulton/web-app docker.io/nigelpoulton/acg-web | 8080 | {host}
docker.io/kodekloud/simple-webapp-color docker.io/kodekloud/ecommerce | 8080 | Hello from {host}
docker.io/kodekloud/jekyll-serve | 4000 | Welcome to Jekyll!
docker.io/kodekloud/fileserver docker.io/ajeetraina/todo | 8080 3000 | {host}
docker.io/digitalocean/doks-example | 80 | DigitalOcean Kubernetes
docker.io/buoyantio/emojivoto-web | 8080 80 | Emoji Vote
docker.io/buoyantio/emojivoto-emoji-svc docker.io/buoyantio/emojivoto-voting-svc | 8080 8801 | grpc
gcr.io/google-samples/hello-app-tls | 8443 | Hello, world!
gcr.io/google-samples/hello-app-cdn gcr.io/google-samples/hello-app-redis gcr.io/google-samples/redirector | 8080 | Hello, world! {host}
gcr.io/google-samples/zone-printer | 80 | Hello from {host}
gcr.io/google-samples/prometheus-dummy-exporter | 8080 | custom_prometheus 40
ghcr.io/subicura/echo docker.io/subicura/echo | 3000 | {host}
ghcr.io/subicura/whoami docker.io/subicura/whoami docker.io/subicura/whoami-redis | 4567 | {host}
ghcr.io/subicura/tomcat | 8080 | {host}
quay.io/jetstack/cert-manager-controller quay.io/jetstack/cert-manager-cainjector | 9402 9403 | ok
quay.io/jetstack/cert-manager-webhook | 6080 9402 10250 | ok
quay.io/jetstack/cert-manager-startupapicheck quay.io/metallb/speaker docker.io/metallb/speaker | 7472 7473 7946 | ok
quay.io/metallb/controller docker.io/metallb/controller | 7472 9443 | ok
docker.io/calico/node quay.io/calico/node docker.io/calico/kube-controllers quay.io/calico/kube-controllers | 9099 9094 | ok
docker.io/calico/typha quay.io/calico/typha quay.io/tigera/operator docker.io/calico/cni quay.io/calico/cni | 5473 9098 | ok
docker.io/flannel/flannel docker.io/flannel/flannel-cni-plugin quay.io/coreos/flannel | |
docker.io/weaveworks/weave-kube docker.io/weaveworks/weave-npc | 6781 6782 6784 | ok
quay.io/brancz/kube-rbac-proxy gcr.io/kubebuilder/kube-rbac-proxy | 8443 | ok
quay.io/prometheus/blackbox-exporter | 9115 | Blackbox Exporter
ghcr.io/jimmidyson/configmap-reload docker.io/jimmidyson/configmap-reload docker.io/stakater/reloader ghcr.io/stakater/reloader | 9533 9090 | ok
docker.io/nginx/nginx-prometheus-exporter | 9113 | # nginx-prometheus-exporter
docker.io/prom/mysqld-exporter quay.io/prometheus/mysqld-exporter | 9104 | # mysqld_exporter
docker.io/wrouesnel/postgres_exporter quay.io/prometheuscommunity/postgres-exporter docker.io/bitnami/postgres-exporter | 9187 | # postgres_exporter
registry.k8s.io/autoscaling/cluster-autoscaler registry.k8s.io/cluster-autoscaler | 8085 | ok
registry.k8s.io/descheduler/descheduler registry.k8s.io/kwok/kwok | 10258 10247 | ok
docker.io/amazon/aws-alb-ingress-controller public.ecr.aws/eks/aws-load-balancer-controller | 8080 9443 61779 | ok
docker.io/haproxytech/kubernetes-ingress | 8080 8443 1024 6060 | ok
gcr.io/knative-samples/helloworld-go ghcr.io/knative/helloworld-go gcr.io/knative-samples/autoscale-go | 8080 | Hello World!
ghcr.io/knative/autoscale-go | 8080 | Hello World!
docker.io/velero/velero docker.io/bitnami/sealed-secrets-controller | 8085 8080 | ok
docker.io/openpolicyagent/gatekeeper | 8443 8888 9090 | ok
docker.io/openpolicyagent/opa | 8181 | {{}}
ghcr.io/kedacore/keda ghcr.io/kedacore/keda-metrics-apiserver ghcr.io/kedacore/keda-admission-webhooks | 8080 8081 6443 9443 | ok
quay.io/argoproj/workflow-controller quay.io/argoproj/argocli docker.io/argoproj/argocli docker.io/argoproj/workflow-controller | 2746 6060 9090 | ok
ghcr.io/fluxcd/source-controller ghcr.io/fluxcd/kustomize-controller ghcr.io/fluxcd/helm-controller | 8080 9440 | ok
ghcr.io/fluxcd/notification-controller | 8080 9440 | ok
quay.io/strimzi/operator | 8080 | ok
docker.io/gogs/gogs | 3000 22 | Gogs
docker.io/moby/buildkit docker.io/datadog/agent gcr.io/datadoghq/agent docker.io/elastic/filebeat docker.io/grafana/promtail | 9080 5555 | ok
docker.io/grafana/tempo | 3200 4317 4318 9411 14268 | ready
docker.io/bitnami/rabbitmq | 5672 15672 | RabbitMQ
docker.io/bitnami/apache | 8080 | It works!
docker.io/bitnamilegacy/postgresql | 5432 |
docker.io/bitnamilegacy/mysql docker.io/bitnamilegacy/mariadb | 3306 |
docker.io/bitnamilegacy/nginx | 8080 | Welcome to nginx!
docker.io/bkimminich/juice-shop | 3000 | OWASP Juice Shop
docker.io/vulnerables/web-dvwa | 80 | DVWA
docker.io/webgoat/webgoat docker.io/webgoat/webgoat-8.0 | 8080 9090 | WebGoat
docker.io/simmessa/simple-webapp-color | 8080 | Hello from {host}
docker.io/kodekloud/ubuntu-ssh-enabled | 22 |
docker.io/citizenstig/httpbin | 8080 | {host}
docker.io/neilpeterson/nginx-basic docker.io/ubuntu/nginx | 80 | Welcome to nginx!
docker.io/ubuntu/apache2 docker.io/library/mediawiki docker.io/library/matomo | 80 | {host}
docker.io/owncloud/server docker.io/ibmcom/helloworld docker.io/ibmcom/hello-world | 8080 | Hello world from {host}
quay.io/redhattraining/hello-world-nginx | 8080 | Hello, world from nginx!
docker.io/rancher/rancher | 80 443 | ok
docker.io/apache/airflow docker.io/apache/superset | 8080 8088 | ok
docker.io/nodered/node-red docker.io/nodered/node-red-docker | 1880 | Node-RED
docker.io/jupyter/base-notebook docker.io/jupyter/minimal-notebook docker.io/jupyter/scipy-notebook | 8888 | Jupyter Server
docker.io/rayproject/ray | 6379 8265 10001 | ok
docker.io/itzg/minecraft-server | 25565 |
quay.io/cilium/cilium docker.io/cilium/cilium quay.io/cilium/operator-generic quay.io/cilium/operator | 9879 9234 9890 | ok
docker.io/longhornio/longhorn-manager ghcr.io/kube-vip/kube-vip docker.io/kindest/local-path-provisioner | 9500 | ok
docker.io/openebs/provisioner-localpv docker.io/openebs/node-disk-manager docker.io/fluxcd/flux | 3030 | ok
docker.io/mattermost/mattermost-team-edition docker.io/library/rocket.chat docker.io/vaultwarden/server | 80 3000 8065 | ok
docker.io/etherpad/etherpad | 9001 | Etherpad
docker.io/pihole/pihole docker.io/linuxserver/heimdall | 80 443 53 | ok
docker.io/bmuschko/nodejs-hello-world docker.io/bmuschko/nodejs-read-config docker.io/bmuschko/nodejs-business-app | 3000 | Hello World!
docker.io/bmuschko/nodejs-read-values docker.io/bmuschko/web-app docker.io/learnk8s/knote-js | 3000 | Hello World!
docker.io/in28min/hello-world-rest-api docker.io/in28min/todo-web-application-h2 docker.io/learnk8s/app | 8080 | Hello World {host}
docker.io/linuxacademycontent/candy-service docker.io/linuxacademycontent/my-server | 8081 | {host}
docker.io/nigelpoulton/tkb-edge docker.io/nigelpoulton/tkb-sts docker.io/pengbai/docker-supermario docker.io/kaminskypavel/mario | 8080 | {host}
docker.io/dockersamples/k8s-wordsmith-web docker.io/dockerdemos/lab-web | 80 | Wordsmith
docker.io/dockersamples/k8s-wordsmith-api docker.io/dockerdemos/lab-words-dispatcher | 8080 | {{"word":"the"}}
docker.io/dockersamples/k8s-wordsmith-db docker.io/dockerdemos/lab-db | 5432 |
registry.k8s.io/dns/k8s-dns-kube-dns registry.k8s.io/k8s-dns-kube-dns-amd64 registry.k8s.io/k8s-dns-kube-dns | 10053 8081 10055 | ok
registry.k8s.io/dns/k8s-dns-sidecar registry.k8s.io/k8s-dns-sidecar-amd64 registry.k8s.io/k8s-dns-sidecar | 10054 | ok
registry.k8s.io/dns/k8s-dns-dnsmasq-nanny registry.k8s.io/k8s-dns-dnsmasq-nanny-amd64 registry.k8s.io/k8s-dns-dnsmasq-nanny | 53 | ok
quay.io/wildfly/wildfly docker.io/k8spatterns/wildfly | 8080 9990 | Welcome to WildFly
docker.io/nginxinc/ingress-demo docker.io/pbitty/hello-from docker.io/thomaspoignant/hello-world-rest-json | 80 8080 | Hello from {host}
docker.io/nanajanashia/k8s-demo-app docker.io/nanajanashia/k8s-mongo-express | 3000 8081 | {host}
docker.io/vfarcic/go-demo-2 docker.io/vfarcic/devops-toolkit-series docker.io/digitalocean/flask-helloworld | 8080 80 5000 | hello, world!
docker.io/homeassistant/home-assistant | 8123 | Home Assistant
docker.io/stacksimplify/usermgmt-microservice | 8095 | User Management Service
quay.io/bitnami/nginx quay.io/openshift-examples/simple-http-server | 8080 | Hello
docker.io/weaveworks/scope quay.io/weaveworks/scope | 4040 | Weave Scope
"""

# images with a shell and tools, and nothing that they do by themselves | distribution
SHELLS = {
    "docker.io/library/fedora": "ubuntu", "docker.io/library/centos": "ubuntu", "docker.io/library/rockylinux": "ubuntu",
    "docker.io/library/almalinux": "ubuntu", "docker.io/library/amazonlinux": "ubuntu", "docker.io/library/oraclelinux": "ubuntu",
    "docker.io/library/archlinux": "ubuntu", "docker.io/library/opensuse": "ubuntu", "registry.access.redhat.com/ubi8/ubi": "ubuntu",
    "registry.access.redhat.com/ubi9/ubi": "ubuntu", "docker.io/library/golang": "debian", "docker.io/library/ruby": "debian",
    "docker.io/library/php": "debian", "docker.io/library/openjdk": "debian", "docker.io/library/eclipse-temurin": "ubuntu",
    "docker.io/library/maven": "ubuntu", "docker.io/library/gradle": "ubuntu", "docker.io/library/rust": "debian",
    "docker.io/library/gcc": "debian", "docker.io/library/buildpack-deps": "debian", "docker.io/library/docker": "alpine",
    "docker.io/alpine/curl": "alpine", "docker.io/tutum/curl": "ubuntu",
    "docker.io/amazon/aws-cli": "ubuntu", "docker.io/giantswarm/tiny-tools": "alpine", "docker.io/appropriate/curl": "alpine",
    "docker.io/nigelpoulton/curl": "ubuntu", "docker.io/governmentpaas/curl-ssl": "alpine", "docker.io/library/cirros": "busybox",
    "docker.io/redhat/ubi8": "ubuntu", "docker.io/redhat/ubi9": "ubuntu", "mcr.microsoft.com/azure-cli": "debian", "docker.io/nvidia/cuda": "ubuntu",
    "registry.access.redhat.com/ubi8/ubi-minimal": "ubuntu", "registry.access.redhat.com/ubi9/ubi-minimal": "ubuntu",
    "docker.io/opensuse/leap": "ubuntu", "docker.io/library/photon": "ubuntu", "docker.io/library/amazoncorretto": "ubuntu",
    "docker.io/cilium/starwars": "alpine", "quay.io/cilium/starwars": "alpine", "docker.io/tgraf/netperf": "alpine",
    "docker.io/natsio/nats-box": "alpine", "gcr.io/google.com/cloudsdktool/cloud-sdk": "debian",
    "gcr.io/google.com/cloudsdktool/google-cloud-cli": "debian", "docker.io/google/cloud-sdk": "debian",
    "gcr.io/google-samples/xtrabackup": "debian", "docker.io/library/ubuntu-upstart": "ubuntu",
    "quay.io/openshiftlabs/jump": "alpine", "quay.io/mhausenblas/jump": "alpine", "docker.io/mhausenblas/jump": "alpine",
    "docker.io/bitnami/git": "debian", "docker.io/arunvelsriram/utils": "ubuntu",
    "docker.io/jpetazzo/shpod": "alpine", "docker.io/pstauffer/curl": "alpine",
    "docker.io/raesene/alpine-nettools": "alpine", "docker.io/redhat/ubi8-minimal": "ubuntu", "docker.io/redhat/ubi9-minimal": "ubuntu",
    "registry.k8s.io/ubuntu-slim": "ubuntu", "docker.io/minio/mc": "ubuntu", "docker.io/alpine/helm": "alpine",
    "mcr.microsoft.com/dotnet/aspnet": "debian", "mcr.microsoft.com/dotnet/runtime": "debian", "mcr.microsoft.com/dotnet/sdk": "debian",
    "docker.io/tensorflow/tensorflow": "ubuntu", "docker.io/pytorch/pytorch": "ubuntu", "docker.io/hashicorp/terraform": "alpine",
    "quay.io/podman/stable": "ubuntu", "quay.io/buildah/stable": "ubuntu", "docker.io/bretfisher/httping": "alpine",
}  # fmt: skip

NAMED_TAGS = {
    "registry.k8s.io/update-demo": ("kitten", "nautilus"),
    "docker.io/arungupta/wildfly-mysql-javaee7": ("knetes",),
    "docker.io/nginxdemos/hello": ("plain-text",),
    "docker.io/nigelpoulton/gsd": ("first-ctr",),
    "mcr.microsoft.com/dotnet/samples": ("aspnetapp",),
    "quay.io/openshifttest/hello-openshift": ("openshift",),
    "docker.io/dockersamples/examplevotingapp_vote": ("before", "after"),
    "docker.io/dockersamples/examplevotingapp_result": ("before", "after"),
    "docker.io/dockersamples/votingapp_vote": ("before", "after"),
    "docker.io/dockersamples/votingapp_result": ("before", "after"),
    "docker.io/nigelpoulton/k8sbook": ("text-dev", "text-prod", "shield-ingress", "hydra-ingress"),
    "docker.io/kodekloud/ecommerce": ("apparels", "video", "404"),
    "docker.io/fortio/fortio": ("latest_release",),
    **{f"docker.io/richardchesterwood/k8s-fleetman-{name}": tuple(f"release{tag}" for tag in ("0", "0-5", "1", "2", "3"))
       for name in ("webapp-angular", "queue", "position-simulator", "position-tracker", "api-gateway")},
}  # fmt: skip
USERS = {"quay.io/kiali/kiali": "1000", "quay.io/argoproj/argocd": "999", "quay.io/brancz/kube-rbac-proxy": "65532",
         **{f"quay.io/jetstack/cert-manager-{name}": "1000" for name in ("controller", "cainjector", "webhook", "startupapicheck")},
         "registry.k8s.io/kube-state-metrics/kube-state-metrics": "65534",
         "docker.io/openzipkin/zipkin-slim": "1000", "docker.io/grafana/grafana": "472"}  # fmt: skip
"""Of images whose manifests hold them to it (runAsNonRoot)."""
