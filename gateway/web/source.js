import { DrawnTable } from "./table.js";

/** What a studio can publish; each opens to { mediaStream, keepsResolution, stop() } or throws what the browser throws. */
export const SOURCES = { camera: openCamera, screen: openScreen, table: openTable };

const CAMERA = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };

async function openCamera() {
  const mediaStream = await navigator.mediaDevices.getUserMedia({ video: CAMERA, audio: true });
  return captured(mediaStream, false);
}

async function openScreen() {
  const mediaStream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: 30 }, audio: true });
  return captured(mediaStream, true);
}

async function openTable() {
  const table = new DrawnTable();
  return { mediaStream: table.mediaStream, keepsResolution: true, stop: () => table.stop() };
}

function captured(mediaStream, keepsResolution) {
  const stop = () => mediaStream.getTracks().forEach((track) => track.stop());
  return { mediaStream, keepsResolution, stop };
}
