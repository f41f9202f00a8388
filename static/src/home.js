// The landing page.
import { installMiniature } from "./scripts/miniature.js";

installMiniature(document);
