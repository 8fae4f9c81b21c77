export { inspect, type ProbeFailure, type ProbeOptions, type ProbeReport, type ProbeSuccess, probe } from './probe.ts';
