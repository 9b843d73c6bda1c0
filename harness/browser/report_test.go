package browser

import (
	"bytes"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

func TestTheReportAsksForNothingAndComplainsOfNothing(t *testing.T) {
	for name, page := range map[string]string{"broken": broken(t), "conformant": conformant(t)} {
		t.Run(name, func(t *testing.T) {
			v := open(t, page, desk)
			// Open everything: what is folded may load later.
			ask[bool](v, `document.querySelectorAll("details").forEach(d=>d.open=true)||true`)
			ask[float64](v, `new Promise(done=>requestAnimationFrame(()=>setTimeout(()=>done(document.body.scrollHeight),200)))`)
			v.quiet()
			if n := len(v.visible()); n < 100 {
				t.Errorf("%d requirements are to be seen", n)
			}
		})
	}
}

// A picture or a script in the page must be seen by the test above.
func TestARequestAndAnErrorAreSeen(t *testing.T) {
	page := filepath.Join(t.TempDir(), "bad.html")
	must(t, os.WriteFile(page, []byte(`<!doctype html><img src="other.png"><script>throw new Error("here")</script>`), 0o644))
	v := open(t, page, desk)
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.requests) == 0 || len(v.complaints) == 0 {
		t.Errorf("requests %q, complaints %q: the test of the page could not fail", v.requests, v.complaints)
	}
}

// What another command left in the folder is shown, and may neither load nor run
// anything. Its frame is a world of its own, so that what it asks for is counted
// by who is asked, and what it shows by its colour on the screen.
func TestAnAttachedPageIsShownAndObeysNobody(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer server.Close()
	load := `<script>parent.document.title="ran";document.body.style.background="#fff"</script><img src="` + server.URL + `/x.png">`
	usual := attached
	defer func() { attached = usual }()
	attached = `<body style="background:#123456"><h1>plots</h1>` + load
	v := open(t, conformant(t), desk)
	// The middle of the frame, once it is in sight.
	at := ask[[]float64](v, `(()=>{const d=document.querySelector(".attached");d.open=true;const f=d.querySelector("iframe");f.scrollIntoView({block:"center"});const r=f.getBoundingClientRect();return [r.x+r.width/2,r.y+r.height/2]})()`)
	shown := false
	for began := time.Now(); time.Since(began) < frameLimit && !shown; {
		picture, err := chromedp.Run(v.ctx, chromedp.CaptureScreenshot())
		must(t, err)
		img, err := png.Decode(bytes.NewReader(picture))
		must(t, err)
		r, g, b, _ := img.At(int(at[0]), int(at[1])).RGBA()
		shown = r>>8 == 0x12 && g>>8 == 0x34 && b>>8 == 0x56
	}
	if !shown {
		t.Error("the page is not to be seen in the report, or its script has changed it")
	}
	if title := ask[string](v, `document.title`); title == "ran" {
		t.Error("its script ran")
	}
	if n := asked.Load(); n > 0 {
		t.Errorf("it asked for something %d times", n)
	}
	// Outside of the report the same page does ask: else the test shows nothing.
	page := filepath.Join(t.TempDir(), "alone.html")
	must(t, os.WriteFile(page, []byte(load), 0o644))
	open(t, page, desk)
	if asked.Load() == 0 {
		t.Error("nothing asks on its own either: the test could not fail")
	}
}

// frameLimit is for a frame to be drawn, which a busy browser does late.
const frameLimit = 15 * time.Second

func TestTheFiltersWork(t *testing.T) {
	v := open(t, broken(t), desk)
	all := v.visible()
	for _, c := range []struct {
		id, value string
		holds     func(ids []string) bool
	}{
		{"by-verdict", "red", func(ids []string) bool { return slices.Equal(ids, []string{"SERV-17", "IDENT-13"}) }},
		{"by-verdict", "known", func(ids []string) bool { return slices.Equal(ids, []string{"ACCESS-04"}) }},
		{"by-area", "logging", func(ids []string) bool {
			return len(ids) > 5 && !slices.ContainsFunc(ids, func(id string) bool { return !strings.HasPrefix(id, "LOG-") })
		}},
		{"by-service", "host", func(ids []string) bool { return slices.Contains(ids, "SERV-01") && !slices.Contains(ids, "SERV-17") }},
		{"by-level", "SHOULD", func(ids []string) bool { return slices.Contains(ids, "SERV-07") && !slices.Contains(ids, "SERV-17") }},
		{"words", "umask serv-17", func(ids []string) bool { return slices.Equal(ids, []string{"SERV-17"}) }},
		{"words", "no such word", func(ids []string) bool { return len(ids) == 0 }},
		// What only the evidence says is not searched: every log has every word.
		{"words", "@03:04:05", func(ids []string) bool { return len(ids) == 0 }},
	} {
		v.choose(c.id, c.value)
		if ids := v.visible(); !c.holds(ids) {
			t.Errorf("%s=%s shows %q", c.id, c.value, ids)
		}
		v.choose(c.id, "")
		if got := v.visible(); !slices.Equal(got, all) {
			t.Fatalf("after %s=%s was taken back %d of %d are to be seen", c.id, c.value, len(got), len(all))
		}
	}
	v.choose("by-area", "services")
	v.choose("by-verdict", "fail")
	if ids := v.visible(); !slices.Equal(ids, []string{causeID}) {
		t.Errorf("two filters show %q", ids)
	}
	ask[bool](v, `document.querySelector("#filter button[type=reset]").click()||true`)
	if got := ask[[]string](v, `new Promise(done=>setTimeout(()=>done(Array.from(document.querySelectorAll(".req")).filter(e=>e.offsetParent!==null).map(e=>e.id)),50))`); !slices.Equal(got, all) {
		t.Errorf("the button shows %d of %d", len(got), len(all))
	}
	v.quiet()
}

func TestALinkToAVerdictOpensIt(t *testing.T) {
	v := open(t, broken(t)+"#IDENT-13-qmserver", desk)
	if !ask[bool](v, `document.getElementById("IDENT-13").open`) {
		t.Error("a link from outside leaves it folded")
	}
	if top := ask[float64](v, `document.getElementById("IDENT-13-qmserver").getBoundingClientRect().top`); top < 0 || top > float64(desk.height) {
		t.Errorf("it stands at %v px, out of sight", top)
	}
	v.choose("by-verdict", "known")
	ask[bool](v, `(location.hash="#SERV-17-qmserver",true)`)
	if !ask[bool](v, `new Promise(done=>setTimeout(()=>{const e=document.getElementById("SERV-17-qmserver");done(e.offsetParent!==null)},100))`) {
		t.Error("a filter hides what a link leads to")
	}
	v.quiet()
}

// A person who opens the report of a failing run sees what to change without
// moving a finger.
func TestTheCauseIsOnTheFirstScreen(t *testing.T) {
	for name, s := range map[string]screen{"desk": desk, "night": night, "phone": phone} {
		t.Run(name, func(t *testing.T) {
			v := open(t, broken(t), s)
			for _, want := range []string{"h1 b", ".subject", ".cause .id", ".cause .do", ".cause .got"} {
				bottom := ask[float64](v, `document.querySelector("`+want+`").getBoundingClientRect().bottom`)
				if bottom <= 0 || bottom > float64(s.height) {
					t.Errorf("%s ends at %v px of %d", want, bottom, s.height)
				}
			}
			if text := ask[string](v, `document.querySelector(".cause").innerText`); !strings.Contains(text, change) || !strings.Contains(text, "umask = 022 in effect") {
				t.Errorf("the first cause says %q", text)
			}
			if marked := ask[string](v, `document.querySelector(".cause mark").innerText`); !strings.Contains(marked, "022") || !strings.Contains(marked, "8") {
				t.Errorf("the marked line is %q", marked)
			}
		})
	}
}

func TestTheEvidenceIsInPlace(t *testing.T) {
	v := open(t, broken(t)+"#SERV-17-qmserver", desk)
	for part, want := range map[string][]string{
		".wire":      {"FIN", "time-out", "5 s of silence", "Username: ", "ff fd 18", "closed"},
		".compared":  {"umask", "0002", "≠ 0022"},
		".log":       {"FAIL: qmserver address"},
		".finding":   {"evidence/SERV-17-qmserver", "connection.pcap", "make conformance FOCUS='SERV-17 qmserver'"},
		".proof":     {"/etc/xinetd.d/qmserver:8"},
		".req .body": {"Source:"},
	} {
		text := ask[string](v, `document.querySelector("#SERV-17 `+strings.TrimPrefix(part, ".req ")+`").innerText`)
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s lacks %q in %q", part, w, text)
			}
		}
	}
	if said := ask[string](v, `document.querySelector("#IDENT-13 .same").innerText`); !strings.Contains(said, "SERV-17-qmserver") {
		// innerText of what is folded is empty; textContent is not.
		said = ask[string](v, `document.querySelector("#IDENT-13 .same").textContent`)
		if !strings.Contains(said, "SERV-17-qmserver") {
			t.Errorf("the same evidence is shown twice: %q", said)
		}
	}
	if text := ask[string](v, `document.querySelector("#ACCESS-04 .proof").textContent`); text == "" {
		t.Error("a known failure has no evidence")
	}
}

// contrast is WCAG's, of an element's text to what is behind it.
const contrast = `(selector=>{
const rgb=c=>c.match(/[\d.]+/g).map(Number);
const light=c=>{const[r,g,b]=rgb(c).map(v=>{v/=255;return v<=.03928?v/12.92:((v+.055)/1.055)**2.4});return .2126*r+.7152*g+.0722*b};
let worst=[99,""];
document.querySelectorAll(selector).forEach(e=>{
 if(e.offsetParent===null)return;
 let b=e;while(b&&(rgb(getComputedStyle(b).backgroundColor)[3]===0))b=b.parentElement;
 const x=light(getComputedStyle(e).color),y=light(getComputedStyle(b||document.body).backgroundColor);
 const ratio=(Math.max(x,y)+.05)/(Math.min(x,y)+.05);
 if(ratio<worst[0])worst=[ratio,e.className+": "+e.textContent.slice(0,30)];
});return worst})`

func TestTextStandsOutInLightAndDark(t *testing.T) {
	page := broken(t)
	var behind []string
	for _, s := range []screen{desk, night} {
		v := open(t, page+"#SERV-17-qmserver", s)
		behind = append(behind, ask[string](v, `getComputedStyle(document.body).backgroundColor`))
		worst := ask[[]any](v, contrast+`("h1 *,h2,h3,h4,h5,p,a,dt,dd,.cell,.tag,small,time,b,td,th,pre span,summary,label span,mark .n")`)
		// 4.5 to 1 is what WCAG 2 asks of text of this size.
		if ratio := worst[0].(float64); ratio < 4.5 {
			t.Errorf("dark %v: contrast of %.2f at %v", s.dark, ratio, worst[1])
		}
		if s.dark && !strings.Contains(ask[string](v, `getComputedStyle(document.documentElement).colorScheme`), "dark") {
			t.Error("the fields of the filter stay light")
		}
	}
	if behind[0] == behind[1] {
		t.Errorf("light and dark have the same background %s", behind[0])
	}
}

func TestAPhoneNeedsNoScrollingSideways(t *testing.T) {
	for name, page := range map[string]string{"broken": broken(t), "conformant": conformant(t)} {
		for _, width := range []int64{320, 390} {
			t.Run(name, func(t *testing.T) {
				v := open(t, page, screen{width, 800, false})
				v.narrow()
				ask[bool](v, `document.querySelectorAll("details").forEach(d=>d.open=true)||true`)
				v.narrow()
			})
		}
	}
}

func TestTheKeyboardReachesEverything(t *testing.T) {
	v := open(t, broken(t), desk)
	if nameless := ask[[]string](v, `Array.from(document.querySelectorAll("a,button,input,select,summary,[role=img],iframe")).filter(e=>!(e.textContent.trim()||e.ariaLabel||e.title||(e.labels&&e.labels.length))).map(e=>e.outerHTML.slice(0,80))`); len(nameless) > 0 {
		t.Errorf("without a name: %q", nameless)
	}
	if doubled := ask[[]string](v, `(()=>{const n={};document.querySelectorAll("[id]").forEach(e=>n[e.id]=(n[e.id]||0)+1);return Object.keys(n).filter(k=>n[k]>1)})()`); len(doubled) > 0 {
		t.Errorf("IDs twice: %q", doubled)
	}
	if dead := ask[[]string](v, `Array.from(document.querySelectorAll('a[href^="#"]')).map(a=>a.getAttribute("href").slice(1)).filter(id=>!document.getElementById(decodeURIComponent(id)))`); len(dead) > 0 {
		t.Errorf("links to nowhere: %q", dead)
	}
	if trap := ask[[]string](v, `Array.from(document.querySelectorAll("[tabindex]")).filter(e=>e.tabIndex>0).map(e=>e.className)`); len(trap) > 0 {
		t.Errorf("an order of the keys' own: %q", trap)
	}
}

// The reports of real runs, where REPORTS names some, keep what any of them must.
func TestReportsOfRealRuns(t *testing.T) {
	for _, page := range strings.Fields(os.Getenv("REPORTS")) {
		t.Run(filepath.Base(filepath.Dir(page)), func(t *testing.T) {
			for _, s := range []screen{desk, night, phone} {
				v := open(t, page, s)
				v.narrow()
				ask[bool](v, `document.querySelectorAll("details").forEach(d=>d.open=true)||true`)
				v.narrow()
				v.quiet()
			}
			if info, err := os.Stat(page); err != nil || info.Size() > 2<<20 {
				t.Errorf("size of the report: %v, %v", info, err)
			}
		})
	}
}
