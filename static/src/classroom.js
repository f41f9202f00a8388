// The teacher's class page.
import { installDialogs } from "./scripts/dialogs.js";
import { installGrid } from "./scripts/grid.js";
import { installSocket } from "./scripts/socket.js";
import { installSteer } from "./scripts/steer.js";
import { installTicking } from "./scripts/ticking.js";

const socket = installSocket(document, window.htmx);
installDialogs(document);
installSteer(document, socket, installGrid(document, socket));
installTicking(document);
