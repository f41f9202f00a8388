// The lab page. The server draws; this only carries acts there and keeps time ticking between two renders.
import { installBoard } from "./scripts/board.js";
import { installBrowser } from "./scripts/browser.js";
import { installClock } from "./scripts/clock.js";
import { installDiagram } from "./scripts/diagram.js";
import { installDialogs } from "./scripts/dialogs.js";
import { installEditor } from "./scripts/editor.js";
import { installLayout } from "./scripts/layout.js";
import { installLesson } from "./scripts/lesson.js";
import { installMotion } from "./scripts/motion.js";
import { installRequests } from "./scripts/requests.js";
import { installSocket } from "./scripts/socket.js";
import { openStorage } from "./scripts/storage.js";
import { installTabs } from "./scripts/tabs.js";
import { installTerminal } from "./scripts/terminal.js";
import { installTicking } from "./scripts/ticking.js";

const socket = installSocket(document, window.htmx);
const tabs = installTabs(document, socket);
const terminal = installTerminal(document, socket, tabs, openStorage(`podlab ${location.pathname} `));
installMotion(document);
installBoard(document, installClock(document));
installDiagram(document, socket, tabs, terminal, installBrowser(document, socket, tabs));
installDialogs(document);
installEditor(document, socket, tabs);
installRequests(document);
installLayout(document, socket, openStorage("podlab"));
installLesson(document, socket);
installTicking(document);
