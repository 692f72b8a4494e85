// What agents are to do, and what became of it.

import { h } from "/shared/dom.js";
import { ago } from "/shared/format.js";
import { pageHead } from "/shared/shell.js";
import { link } from "/shared/router.js";
import { pill } from "/shared/pill.js";
import { table } from "/shared/table.js";
import { actionButton } from "/shared/form.js";
import { entityFilter, may } from "/app/names.js";
import { newJob } from "/app/jobdialog.js";

export async function page({ api, live, signal, query, setQuery, session }) {
  const install = query.install ?? "";
  const list = table({
    caption: "Jobs", noun: "job", signal, query, onQuery: (next) => setQuery({ install, ...next }),
    search: "Search by host, entity, state or what it is", sort: "-created", empty: "There are no jobs yet.",
    filters: [{ name: "which", label: "Which", options: [["", "All"], ["open", "Open"], ["ended", "Ended"]] }, ...await entityFilter(api)],
    key: (job) => job.id,
    href: (job) => link("jobs", job.id),
    load: (parameters) => api.get("jobs", { install, ...parameters }),
    columns: [
      { label: "Job", sort: "kind", cell: (job) => h("a", { href: link("jobs", job.id) }, job.summary) },
      { label: "Install", sort: "host", cell: (job) => [job.hostName, h("span", { class: "cell-sub" }, job.entity)] },
      { label: "State", sort: "state", cell: (job) => pill(job.state) },
      { label: "Created", sort: "created", class: "nowrap", cell: (job) => ago(job.created) },
      { label: "By", class: "wide-only", cell: (job) => job.createdBy ?? "unknown" },
      { label: "Ended", class: "nowrap", cell: (job) => ago(job.ended, "not yet") },
      { label: "Result", class: "wide-only", cell: (job) => job.result ?? "" },
    ],
  });
  live.refresh(["job"], signal, list.refresh, { after: 600 });
  const create = () => newJob({ api }).then((done) => done && list.refresh());
  return [pageHead("Jobs", { actions: may(session, "operator") ? [actionButton("New job", create, { class: "primary" })] : [] }), list.element];
}
