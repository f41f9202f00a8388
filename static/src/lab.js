// The lab page. The server draws; this only carries acts there and keeps time ticking between two renders.
import { installBoard } from "./scripts/board.js";
import { installClock } from "./scripts/clock.js";
import { installDiagram } from "./scripts/diagram.js";
import { installEditor } from "./scripts/editor.js";
import { installLayout } from "./scripts/layout.js";
import { installLesson } from "./scripts/lesson.js";
import { installSocket } from "./scripts/socket.js";
import { installTabs } from "./scripts/tabs.js";
import { installTerminal } from "./scripts/terminal.js";

const socket = installSocket(document);
const tabs = installTabs(document, socket);
const terminal = installTerminal(document, socket, tabs);
installBoard(document, installClock(document));
installDiagram(document, socket, tabs, terminal);
installEditor(document, socket, tabs);
installLayout(document, socket);
installLesson(document, socket);
