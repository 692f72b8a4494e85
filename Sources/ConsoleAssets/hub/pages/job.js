// One job with each of its steps, and what it brought.

import { fill, h } from "/shared/dom.js";
import { ago, bytes, time, title } from "/shared/format.js";
import { card, pageHead } from "/shared/shell.js";
import { link } from "/shared/router.js";
import { pill } from "/shared/pill.js";
import { plainTable } from "/shared/table.js";
import { terms } from "/shared/value.js";
import { actionButton } from "/shared/form.js";
import { confirm } from "/shared/dialog.js";
import { failed, toast } from "/shared/toast.js";
import { deviceName, installLink, may } from "/app/names.js";
import { answered, sessionCard } from "/app/remote.js";

export async function page({ api, live, signal, parameters, session, setTitle }) {
  const path = `jobs/${encodeURIComponent(parameters.id)}`;
  const place = h("div", { class: "stack" });
  let isOpenPage = false;

  async function cancel() {
    if (!await confirm("Take the job back?", "One that was not sent yet ends at once. Else its agent is told to end it.", "Take it back", { danger: true })) return;
    try {
      const { ended } = await api.delete(path);
      toast(ended ? "The job is cancelled." : "Its agent is told to end it.");
      await refresh();
    } catch (error) { failed(error); }
  }

  async function refresh() {
    const job = await api.get(path);
    const visit = job.kind === "page" ? await api.get(`${path}/page`).catch(() => null) : null;
    isOpenPage = visit !== null && visit.state !== "ended";
    const shown = visit ? `Page of ${deviceName(visit.about)}` : job.summary;
    setTitle(shown);
    fill(place, pageHead(shown, { back: [link("jobs"), "Jobs"], about: [job.entity, job.hostName].join(", "),
      actions: [pill(job.state), may(session, "operator") && job.open && job.cancelled === null && actionButton("Cancel", cancel)] }),
    visit && card("The device's own page", sessionCard({ api, session: visit, job, refresh })),
    h("div", { class: "columns" },
      card("Job", terms([
        ["Install", installLink({ id: job.install, hostName: job.hostName })], ["Created", time(job.created, { always: true, seconds: true })], ["By", job.createdBy],
        ["Good until", time(job.deadline, { always: true })], ["Ended", job.ended && ago(job.ended)], ["Result", job.result], ["Id", h("code", null, job.id)],
        ["Brought", job.attachmentBytes === null ? null : may(session, "operator") ? h("a", { href: `/api/v1/${path}/attachment`, download: true }, bytes(job.attachmentBytes)) : bytes(job.attachmentBytes)],
      ])),
      card("Steps", plainTable("Steps", [
        { label: "Step", class: "nowrap", cell: (step) => title(step.step) }, { label: "Time", class: "nowrap", cell: (step) => time(step.time, { always: true, seconds: true }) },
        { label: "By whose clock", cell: (step) => (step.by === "hub" ? "the hub's" : "the agent's") }, { label: "Who", cell: (step) => step.actor }, { label: "Detail", cell: (step) => step.detail },
      ], job.steps))),
    visit && card("What was asked of the device", plainTable("Requests", [
      { label: "Time", class: "nowrap", cell: (one) => time(one.time, { always: true, seconds: true }) }, { label: "Request", cell: (one) => h("code", null, `${one.method} ${one.path}`) },
      { label: "Parameters", class: "wide-only", cell: (one) => one.parameters }, { label: "Answer", cell: (one) => answered(one) },
      { label: "Sent", number: true, cell: (one) => bytes(one.bytesSent) }, { label: "Received", number: true, cell: (one) => bytes(one.bytesReceived) },
    ], visit.requests, { empty: "Nothing yet; it comes with what the agent delivers." })));
  }

  // First to listen, then to ask: what changes between the two is not missed.
  live.refresh(["job"], signal, () => refresh().catch(failed), { after: 500 });
  // What a device was asked comes with its agent's records, as what devices say does.
  live.refresh(["device"], signal, () => { if (isOpenPage) refresh().catch(failed); }, { after: 2000 });
  await refresh();
  return [place];
}
