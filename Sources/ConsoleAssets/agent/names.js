// What devices and events are called.

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

/** Where an alert is, if it says so: prtAlertLocation is -1 (other) or -2 (unknown) otherwise. */
export function placeOf({ location }) {
  if (location === null || location === undefined || Number(location) < 0) return null;
  return typeof location === "number" ? `location ${location}` : location;
}
