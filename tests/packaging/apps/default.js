import { probe } from "./probe.js";

probe();
