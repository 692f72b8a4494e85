// What devices and events are called.

import { words } from "/shared/format.js";

/** Make and model, else the address. Whatever a device calls itself is text. */
export function deviceName(device) {
  const text = modelName(device);
  return text || device.address || device.id?.slice(0, 8) || "unknown device";
}

/** Make and model; many devices tell the make in the model as well. */
export function modelName({ make, model }) {
  if (!model) return make ?? "";
  if (!make || String(model).toLowerCase().startsWith(String(make).toLowerCase())) return model;
  return `${make} ${model}`;
}

/** An address without the port that nearly all have. */
export function shortAddress(address) { return address ? String(address).replace(/:161$/, "") : "no address"; }

/** The meters' names as people say them. */
export function meterName(name) {
  return words(String(name).replaceAll(".", ": "));
}
