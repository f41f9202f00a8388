// Loaded by every page, after htmx and its websocket extension (both come with django-htmx as plain scripts).
import { installConfirm } from "./scripts/confirm.js";
import { installCopy } from "./scripts/copy.js";
import { installMorph } from "./scripts/morph.js";

installMorph(window.htmx);
installConfirm(document);
installCopy(document);
