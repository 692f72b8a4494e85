// Devices that are taken out of what is looked at, until an agent reads them again.

import { h } from "/shared/dom.js";
import { field, form } from "/shared/form.js";
import { confirm, dialog } from "/shared/dialog.js";
import { failed, toast } from "/shared/toast.js";
import { deviceName } from "/app/names.js";

const path = (device) => `devices/${encodeURIComponent(device.id)}/retirement`;

/**
 * Asks why, says what it means, and retires a device.
 * @returns {Promise<boolean>} whether it was
 */
export async function retire({ api, device }) {
  const outcome = await dialog(`Retire ${deviceName(device)}?`, (close) => {
    const reason = field({ name: "reason", label: "Why?", attributes: { required: true, minlength: 3, maxlength: 255 }, hint: "The audit trail keeps it with your name." });
    return [form({
      fields: [reason], label: "Retire a device",
      layout: () => [
        h("p", null, "For a printer that was scrapped, or whose customer left. Its alerts are not open and its supplies not due any more; its meters and volumes stay."),
        h("p", null, "It comes back by itself when an agent reads it again. Where an agent still reads it, revoke that agent or exclude the device there first."),
        reason.element, h("div", { class: "actions" }, h("button", { type: "submit", class: "danger" }, "Retire"))],
      submit: async (values) => { close(await api.post(path(device), { reason: values.reason })); },
    }).element];
  });
  if (!outcome) return false;
  toast(outcome.wasRetired ? "It was retired already." : outcome.isRead ? "It is retired. An agent read it when it was last due: its next reading brings it back." : "It is retired until an agent reads it again.");
  return true;
}

/**
 * Asks, and takes a retirement back.
 * @returns {Promise<boolean>} whether it was taken back
 */
export async function bringBack({ api, device }) {
  const isWanted = await confirm(`Bring ${deviceName(device)} back?`, "Its alerts are open and its supplies due again, as they were last read. It would come back by itself with the next reading.", "Bring back");
  if (!isWanted) return false;
  try {
    const { wasRetired } = await api.delete(path(device));
    toast(wasRetired ? "It is retired no more." : "It was not retired.");
    return true;
  } catch (error) { failed(error); return false; }
}
