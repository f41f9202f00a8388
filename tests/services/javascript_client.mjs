// `node javascript_client.mjs SERVER`: does with @kubernetes/client-node what its users do, and prints what it saw as one line of JSON.
import { PassThrough } from "node:stream";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as k8s from "@kubernetes/client-node";

const kc = new k8s.KubeConfig();
kc.loadFromString(await (await fetch(`${process.argv[2]}/kubeconfig`)).text()); // as the page hands it out
const core = kc.makeApiClient(k8s.CoreV1Api);
const apps = kc.makeApiClient(k8s.AppsV1Api);
const objects = k8s.KubernetesObjectApi.makeApiClient(kc);
const namespace = "default";
const seen = {};

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
async function until(check, what, seconds = 30) {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await pause(100)) {
    const found = await check();
    if (found) return found;
  }
  throw new Error(`it did not come: ${what}`);
}
const pod = (name, image, command) => ({
  apiVersion: "v1", kind: "Pod", metadata: { name, labels: { suite: "javascript" } },
  spec: { terminationGracePeriodSeconds: 0, containers: [{ name: "main", image, stdin: true, ...(command && { command: ["sh", "-c", command] }) }] },
});
async function started(...facts) {
  await core.createNamespacedPod({ namespace, body: pod(...facts) });
  await until(async () => (await core.readNamespacedPod({ namespace, name: facts[0] })).status.phase === "Running", facts[0]);
}
function collector() {
  const stream = new PassThrough();
  stream.text = "";
  stream.on("data", (data) => { stream.text += data.toString(); });
  return stream;
}

// ---- objects
await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: "js" }, data: { a: "1" } } });
const held = await core.readNamespacedConfigMap({ namespace, name: "js" });
held.data.b = "2";
seen.replaced = (await core.replaceNamespacedConfigMap({ namespace, name: "js", body: held })).data;
seen.jsonPatch = (await core.patchNamespacedConfigMap({ namespace, name: "js", body: [{ op: "replace", path: "/data", value: { c: "3" } }] })).data;
seen.refused = await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: "js" } } }).catch((error) => [error.code, JSON.parse(error.body).reason]);
const applied = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "applied", namespace }, data: { by: "javascript" } };
await objects.patch(applied, undefined, undefined, "js", true, k8s.PatchStrategy.ServerSideApply);
seen.managers = (await objects.read(applied)).metadata.managedFields?.map((one) => `${one.manager} ${one.operation}`);
seen.listed = (await objects.list("v1", "ConfigMap", namespace)).items.map((one) => one.metadata.name).sort();
await objects.delete(applied);

// ---- informer and watch
const events = [];
const informer = k8s.makeInformer(kc, `/api/v1/namespaces/${namespace}/pods`, () => core.listNamespacedPod({ namespace, labelSelector: "suite=javascript" }), "suite=javascript");
for (const verb of ["add", "update", "delete"]) informer.on(verb, (obj) => events.push(`${verb} ${obj.metadata.name}`));
await informer.start();
await started("js-shell", "busybox", "while true; do read line && echo heard $line; sleep 1; done");
await until(() => events.includes("update js-shell"), "informer");
const told = [];
const controller = await new k8s.Watch(kc).watch(`/api/v1/namespaces/${namespace}/configmaps`, { fieldSelector: "metadata.name=js" }, (type, obj) => told.push([type, obj.metadata.name]), () => {});
await until(() => told.length, "watch");
await core.deleteNamespacedConfigMap({ namespace, name: "js" });
await until(() => told.length === 2, "watch");
controller.abort();
seen.watched = told;

// ---- exec, attach, log, cp
const run = (command, stdin = null) => new Promise((resolve, reject) => {
  const [out, err] = [collector(), collector()];
  new k8s.Exec(kc).exec(namespace, "js-shell", "main", command, out, err, stdin, false, (status) =>
    setTimeout(() => resolve({ out: out.text, err: err.text, status: status.status, code: status.details?.causes?.[0]?.message }), 50)).catch(reject);
});
seen.exec = await run(["sh", "-c", "echo out; echo err >&2; exit 7"]);
const stdin = new PassThrough();
const answered = run(["cat"], stdin);
await pause(300);
stdin.write("안녕 pods\n");
stdin.end();
seen.cat = await answered;
const typed = new PassThrough();
const attached = collector();
const socket = await new k8s.Attach(kc).attach(namespace, "js-shell", "main", attached, null, typed, false);
typed.write("attach\n");
await until(() => attached.text.includes("heard attach"), "attach");
socket.close();
const logged = collector();
const following = await new k8s.Log(kc).log(namespace, "js-shell", "main", logged, { follow: true, tailLines: 1 });
await until(() => logged.text.includes("heard attach"), "log");
following.abort();
const folder = mkdtempSync(join(tmpdir(), "js-"));
writeFileSync(join(folder, "note.txt"), "쪽지\n");
await new k8s.Cp(kc).cpToPod(namespace, "js-shell", "main", folder, "/tmp");
await until(async () => (await run(["cat", "/tmp/note.txt"])).out === "쪽지\n", "cp");

// ---- ports
await started("js-redis", "redis");
const input = new PassThrough();
const output = collector();
const forwarded = await new k8s.PortForward(kc).portForward(namespace, "js-redis", [6379], output, null, input);
input.write("*1\r\n$4\r\nPING\r\n");
await until(() => output.text === "+PONG\r\n", "PONG");
input.write("SET k v\r\nGET k\r\n");
await until(() => output.text.endsWith("$1\r\nv\r\n"), "GET");
forwarded.close();

// ---- workloads and metrics
const labels = { app: "js" };
await apps.createNamespacedDeployment({ namespace, body: { metadata: { name: "js" }, spec: { replicas: 1, selector: { matchLabels: labels },
  template: { metadata: { labels }, spec: { containers: [{ name: "nginx", image: "nginx" }] } } } } });
await until(async () => (await apps.readNamespacedDeployment({ namespace, name: "js" })).status.readyReplicas === 1, "deployment");
await apps.patchNamespacedDeploymentScale({ namespace, name: "js", body: { spec: { replicas: 2 } } }, k8s.setHeaderOptions("Content-Type", k8s.PatchStrategy.MergePatch));
await until(async () => (await apps.readNamespacedDeployment({ namespace, name: "js" })).status.readyReplicas === 2, "scale");
seen.top = (await until(async () => { const found = await k8s.topPods(core, new k8s.Metrics(kc), namespace); return found.length && found; }, "top")).map((one) => one.Pod.metadata.name).filter((name) => name === "js-shell");
seen.nodes = (await k8s.topNodes(core)).length;
await core.deleteNamespacedPod({ namespace, name: "js-shell" });
await until(() => events.includes("delete js-shell"), "informer");
await informer.stop();
seen.informed = [...new Set(events.filter((one) => one.endsWith("js-shell")))];
console.log(JSON.stringify(seen));
process.exit(0);
