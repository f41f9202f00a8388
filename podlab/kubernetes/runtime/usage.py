"""What a machine's containers use: CPU, memory, disk; and what happens beyond their limits."""

from __future__ import annotations

from .filesystem import count_inodes
from .kernel import Kernel
from .process import Data


class Usage(Kernel):
    """CPU and memory of containers, the machine's disk."""

    _most: int | None = None  # bytes that all processes hold together, at most; None: not counted yet

    def usage(self, container_id: str) -> dict[str, int]:
        """{"cpu_nanocores" over the last 15 s, "memory_bytes", "fs_bytes", "fs_inodes" of its own layer, "log_bytes"}."""
        container = self.state["containers"][container_id]
        self.settle_burn(container)
        self.count_cpu(container, 0)
        cpu = container["cpu"]
        into = self.host.now % 15_000
        micro = cpu["us"] + cpu["before"] * (15_000 - into) // 15_000
        span = max(1000, min(15_000, self.host.now - container["started_at"]))
        limit = container["limits"].get("cpu") or self.state["cpu"]
        fs = self.state["filesystems"][container["fs"]]
        return {
            "cpu_nanocores": min(micro * 1_000_000 // span, limit * 1_000_000),
            "memory_bytes": self.memory_of(container),
            "fs_bytes": fs["used"],
            "fs_inodes": count_inodes(fs),
            "log_bytes": container["log"]["chars"],
        }

    def memory_of(self, container: Data) -> int:
        """Bytes of memory that the container's processes hold."""
        return sum(proc["memory"] for proc in self.of_container(container["id"]))

    def holds_more_than(self, room: int) -> bool:
        """Whether all processes of the machine together hold more bytes of memory. They are counted only where it may be so: the containers'
        kept figures may be too high, but not too low."""
        if self._most is not None and self._most <= room:
            return False
        self._most = sum([proc["memory"] for proc in self.state["processes"].values()])
        return self._most > room

    def check_memory(self, container: Data) -> None:
        """Kills a container that is over its memory limit; without a limit, over the machine's memory."""
        used = self.memory_of(container)
        if self._most is not None:
            self._most += max(0, used - container.get("memory", 0))
        container["memory"] = used
        limit = container["limits"].get("memory") or self.state["memory"]
        if used > limit:
            self.out_of_memory(container)
        else:
            self.host.on_memory()

    def has_grown(self, container: Data, memory: int) -> None:
        """A process came with so many bytes. All are counted again only where the limit may be passed: of hundreds of processes that fork,
        each would count all. What has ended since makes the kept figure too high, never too low."""
        kept = container.get("memory")
        limit = container["limits"].get("memory") or self.state["memory"]
        if kept is None or kept + memory > limit:
            self.check_memory(container)
        else:
            container["memory"] = kept + memory
            if self._most is not None:
                self._most += memory
            self.host.on_memory()

    def settle_burn(self, container: Data) -> None:
        """Accounts the steady CPU use of the container's processes up to now."""
        cpu, now = container["cpu"], self.host.now
        elapsed, cpu["burn_at"] = now - cpu["burn_at"], now
        if elapsed <= 0 or container["state"] != "running":
            return
        burn = sum(proc["burn"] for proc in self.of_container(container["id"]) if proc["state"] == "running")
        if burn:
            burn = min(burn, container["limits"].get("cpu") or self.state["cpu"], self.state["cpu"])
            self.count_cpu(container, 0)
            cpu["total"] += burn * elapsed
            into = now % 15_000
            cpu["us"] += burn * min(elapsed, into)
            if elapsed > into:
                cpu["before"] += burn * min(elapsed - into, 15_000)

    def disk_free(self) -> int:
        """Bytes left on the machine's disk."""
        used = sum(fs["used"] for fs in self.state["filesystems"].values() if type(fs) is dict and fs["kind"] not in ("tmpfs", "etc"))
        return int(self.state["disk"] - self.state["disk_other"] - used)
