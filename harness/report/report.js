(function () {
  "use strict";
  var form = document.getElementById("filter");
  if (!form) return;
  var get = function (id) { return document.getElementById(id); };
  var words = get("words"), byVerdict = get("by-verdict"), byArea = get("by-area"), byService = get("by-service"), byLevel = get("by-level");
  var red = ["fail", "untested", "error"];

  // What is searched is what a verdict says, not its evidence: a log holds every word.
  var rows = Array.prototype.map.call(document.querySelectorAll(".req"), function (row) {
    var findings = Array.prototype.slice.call(row.querySelectorAll(".finding"));
    var text = row.querySelector("summary").textContent;
    row.querySelectorAll(".why,.source,.do,.pair").forEach(function (part) { text += " " + part.textContent; });
    return { row: row, area: row.closest(".area"), findings: findings, text: text.toLowerCase() };
  });

  function fits(finding) {
    var verdict = finding.dataset.verdict;
    return (!byService.value || finding.dataset.service === byService.value) &&
      (!byVerdict.value || verdict === byVerdict.value || (byVerdict.value === "red" && red.indexOf(verdict) >= 0));
  }

  function apply() {
    var wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean), count = 0, areas = new Map();
    rows.forEach(function (r) {
      var any = false;
      r.findings.forEach(function (f) {
        var on = fits(f);
        f.hidden = !on;
        any = any || on;
      });
      var on = any && (!byArea.value || r.row.dataset.area === byArea.value) && (!byLevel.value || r.row.dataset.level === byLevel.value) &&
        wanted.every(function (w) { return r.text.indexOf(w) >= 0; });
      r.row.hidden = !on;
      if (on) count++;
      areas.set(r.area, areas.get(r.area) || on);
    });
    areas.forEach(function (on, area) { area.hidden = !on; });
    get("nothing").hidden = count > 0;
    get("shown").textContent = count === rows.length ? rows.length + " requirements" : count + " of " + rows.length + " requirements";
  }

  form.addEventListener("input", apply);
  form.addEventListener("submit", function (e) { e.preventDefault(); });
  form.addEventListener("reset", function () { setTimeout(apply, 0); });
  form.hidden = false;
  apply();

  // A link to a verdict opens it, whatever the filters hide.
  function reveal() {
    var there = location.hash.length > 1 && get(decodeURIComponent(location.hash.slice(1)));
    var row = there && there.closest(".req");
    if (!row) return;
    if (row.hidden || there.hidden) { form.reset(); apply(); }
    row.open = true;
    there.scrollIntoView({ block: "start" });
  }
  window.addEventListener("hashchange", reveal);
  document.addEventListener("click", function (e) {
    var a = e.target.closest && e.target.closest('a[href^="#"]');
    if (a && a.getAttribute("href") === location.hash) reveal();
  });
  reveal();

  // On paper nothing can be opened.
  window.addEventListener("beforeprint", function () {
    document.querySelectorAll('.finding[data-verdict="fail"],.finding[data-verdict="error"],.finding[data-verdict="untested"]').forEach(function (f) { f.closest(".req").open = true; });
  });
})();
