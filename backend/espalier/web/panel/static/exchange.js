// Import and export: what comes from elsewhere, and what is taken away.

import { get, ofProject } from "./api.js";
import { complain } from "./notices.js";
import { startExport } from "./exchange_export.js";
import { startImport } from "./exchange_import.js";

const ontology = get(ofProject("/ontology"));

startExport(ontology).catch(complain);
if (document.getElementById("import")) startImport(ontology).catch(complain);
