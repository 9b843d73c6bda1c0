package browser

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// pageLimit is for one page on a busy machine: a browser starts in a second there,
// and lays a page out in as long.
const pageLimit = 60 * time.Second

// names under which distributions ship the browser.
var names = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "headless-shell"}

// executable finds the browser; CHROMIUM names another one.
func executable() (string, error) {
	for _, name := range append([]string{os.Getenv("CHROMIUM")}, names...) {
		if name == "" {
			continue
		}
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("no Chromium was found: install it (apt-get install chromium), or name one with CHROMIUM=/path/to/it")
}

// browser is the one that all tests share, a tab for each page.
var browser context.Context

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	path, err := executable()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	// Root may not have a sandbox, and the pages are our own.
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox)
	ctx, end := chromedp.NewExecAllocator(context.Background(), options...)
	defer end()
	ctx, end = chromedp.NewContext(ctx)
	defer end()
	if err := chromedp.Do(ctx); err != nil {
		fmt.Fprintf(os.Stderr, "%s does not start: %v\n", path, err)
		return 1
	}
	browser = ctx
	return m.Run()
}

// screen is what a page is looked at on.
type screen struct {
	width, height int64
	dark          bool
}

var (
	desk  = screen{1280, 900, false}
	night = screen{1280, 900, true}
	phone = screen{390, 844, false}
)

// visit is an open page, with everything that it did beside showing itself.
type visit struct {
	t   *testing.T
	ctx context.Context
	mu  sync.Mutex
	// requests are those for anything but the page itself, complaints what the
	// console had.
	requests, complaints []string
}

func open(t *testing.T, path string, s screen) *visit {
	t.Helper()
	v := &visit{t: t}
	ctx, end := chromedp.NewContext(browser, chromedp.WithListener(v.note))
	t.Cleanup(end)
	ctx, end = context.WithTimeout(ctx, pageLimit)
	t.Cleanup(end)
	v.ctx = ctx
	scheme := "light"
	if s.dark {
		scheme = "dark"
	}
	size := []chromedp.EmulateViewportOption{}
	if s.width < 600 {
		size = append(size, chromedp.EmulateMobile)
	}
	must(t, chromedp.Do(ctx, chromedp.EmulateViewport(s.width, s.height, size...)))
	for _, enable := range []func() error{
		func() error { _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); return err },
		func() error { _, err := chromedp.Call(ctx, log.Enable, cdp.Empty{}); return err },
		func() error {
			_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
				{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
			}})
			return err
		},
	} {
		must(t, enable())
	}
	must(t, chromedp.Do(ctx, chromedp.Navigate("file://"+path)))
	v.shot(strings.ReplaceAll(t.Name(), "/", "-"), s)
	return v
}

// note takes down what a self-contained page does not do.
func (v *visit) note(event any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if e.Type != network.ResourceTypeDocument || !strings.HasPrefix(e.Request.URL, "file://") && e.Request.URL != "about:srcdoc" {
			v.requests = append(v.requests, e.Request.URL)
		}
	case *runtime.EventExceptionThrown:
		v.complaints = append(v.complaints, e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		v.complaints = append(v.complaints, fmt.Sprintf("console.%s", e.Type))
	case *log.EventEntryAdded:
		v.complaints = append(v.complaints, e.Entry.Text)
	}
}

// shot keeps a picture where SHOTS names a folder, for the eye.
func (v *visit) shot(name string, s screen) {
	dir := os.Getenv("SHOTS")
	if dir == "" {
		return
	}
	picture, err := chromedp.Run(v.ctx, chromedp.CaptureScreenshot())
	must(v.t, err)
	must(v.t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%d-%v.png", name, s.width, s.dark)), picture, 0o644))
}

// ask evaluates an expression in the page.
func ask[T any](v *visit, expression string) T {
	v.t.Helper()
	out, err := chromedp.Run(v.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	must(v.t, err)
	return out
}

// choose sets a field of the filter as a person does, by its event.
func (v *visit) choose(id, value string) {
	v.t.Helper()
	ask[bool](v, fmt.Sprintf(`(()=>{const e=document.getElementById(%q);e.value=%q;e.dispatchEvent(new Event("input",{bubbles:true}));return e.value===%q})()`, id, value, value))
}

// visible lists the IDs of the requirements in sight.
func (v *visit) visible() []string {
	v.t.Helper()
	return ask[[]string](v, `Array.from(document.querySelectorAll(".req")).filter(e=>e.offsetParent!==null).map(e=>e.id)`)
}

// quiet says that the page asked for nothing and complained of nothing.
func (v *visit) quiet() {
	v.t.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.requests) > 0 {
		v.t.Errorf("the page asks for %q", v.requests)
	}
	if len(v.complaints) > 0 {
		v.t.Errorf("the console has %q", v.complaints)
	}
}

// narrow says that nothing sticks out of the screen.
func (v *visit) narrow() {
	v.t.Helper()
	if over := ask[float64](v, `document.documentElement.scrollWidth-document.documentElement.clientWidth`); over > 0 {
		wide := ask[[]string](v, `Array.from(document.querySelectorAll("body *")).filter(e=>e.getBoundingClientRect().right>document.documentElement.clientWidth+1&&!e.closest(".scroll,pre,ol")).slice(0,5).map(e=>e.tagName+"."+e.className)`)
		v.t.Errorf("the page is %v px wider than the screen: %q", over, wide)
	}
}
