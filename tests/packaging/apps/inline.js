import { inline } from "antiphon/inline";
import { inlineOffline } from "antiphon/inline-offline";
import { probe } from "./probe.js";

probe({ ...inline(), ...inlineOffline() });
