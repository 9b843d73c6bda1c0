// Package dockertest is a small Docker daemon for unit tests: it keeps labelled
// objects, answers the list and remove requests of the API on a unix socket,
// records what it was asked, and can be told to misbehave.
package dockertest

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moby/moby/client"
)

// Kinds of objects, as the API spells them in its paths.
const (
	Containers = "containers"
	Networks   = "networks"
	Images     = "images"
)

// Daemon is the fake. Its exported fields may be set before the first request.
type Daemon struct {
	// IgnoreFilters makes lists return everything, as a careless proxy would.
	IgnoreFilters bool
	// Hang makes every request but the ping wait for its client to give up.
	Hang bool
	// Late is how long every answer takes, that to the ping included.
	Late time.Duration
	// Refuse holds IDs whose removal fails with a conflict.
	Refuse map[string]bool
	// Names are the tags of images, by ID.
	Names map[string][]string
	// Extra answers, by a regular expression over "METHOD /path" without the version.
	Extra map[string]http.HandlerFunc

	socket  string
	server  *httptest.Server
	mu      sync.Mutex
	objects map[string]map[string]map[string]string // kind, ID, labels
	asked   []string
	changed chan struct{}
}

// New returns a daemon that is not serving yet.
func New() *Daemon {
	return &Daemon{
		Refuse: map[string]bool{}, Names: map[string][]string{}, Extra: map[string]http.HandlerFunc{},
		objects: map[string]map[string]map[string]string{Containers: {}, Networks: {}, Images: {}},
		changed: make(chan struct{}),
	}
}

// Serve starts the daemon for one test and returns a client of it.
func (d *Daemon) Serve(t testing.TB) *client.Client {
	t.Helper()
	// Not t.TempDir: a unix socket's path is limited to 107 bytes (unix(7)), and test names are long.
	dir, err := os.MkdirTemp("", "dockertest")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	d.socket = filepath.Join(dir, "d.sock")
	listener, err := net.Listen("unix", d.socket)
	if err != nil {
		t.Fatal(err)
	}
	d.server = &httptest.Server{Listener: listener, Config: &http.Server{Handler: http.HandlerFunc(d.serve)}}
	d.server.Start()
	t.Cleanup(d.Close)
	docker, err := client.New(client.WithHost(d.Host()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { docker.Close() })
	return docker
}

// Host is the daemon's address in the form of DOCKER_HOST.
func (d *Daemon) Host() string { return "unix://" + d.socket }

// Close ends the daemon, clients that wait included. A second call does nothing.
func (d *Daemon) Close() {
	d.server.CloseClientConnections()
	d.server.Close()
}

// Add puts an object into the daemon.
func (d *Daemon) Add(kind, id string, labels map[string]string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.objects[kind][id] = labels
	d.signal()
}

// IDs returns the sorted IDs of what the daemon holds, all kinds together.
func (d *Daemon) IDs() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []string
	for _, objects := range d.objects {
		for id := range objects {
			all = append(all, id)
		}
	}
	slices.Sort(all)
	return all
}

// Asked returns the requests so far, "METHOD /path?query", without the API version.
func (d *Daemon) Asked() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.asked)
}

// Changed returns a channel that is closed at the next change of the objects or
// the next request.
func (d *Daemon) Changed() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.changed
}

func (d *Daemon) signal() {
	close(d.changed)
	d.changed = make(chan struct{})
}

var version = regexp.MustCompile(`^/v[0-9.]+`)

func (d *Daemon) serve(w http.ResponseWriter, req *http.Request) {
	path := version.ReplaceAllString(req.URL.Path, "")
	w.Header().Set("Api-Version", "1.41")
	select {
	case <-time.After(d.Late):
	case <-req.Context().Done():
		return
	}
	if path == "/_ping" {
		return
	}
	d.mu.Lock()
	d.asked = append(d.asked, req.Method+" "+path+"?"+req.URL.RawQuery)
	d.signal()
	d.mu.Unlock()
	if d.Hang {
		<-req.Context().Done()
		return
	}
	for pattern, handler := range d.Extra {
		if regexp.MustCompile("^" + pattern + "$").MatchString(req.Method + " " + path) {
			handler(w, req)
			return
		}
	}
	kind, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch {
	case d.objects[kind] == nil:
		reply(w, http.StatusNotImplemented, message("not in this fake: "+req.Method+" "+path))
	case req.Method == http.MethodGet && (rest == "json" || kind == Networks && rest == ""):
		d.list(w, req, kind)
	case req.Method == http.MethodDelete:
		d.remove(w, kind, rest)
	default:
		reply(w, http.StatusNotFound, message("no such object: "+path))
	}
}

func (d *Daemon) list(w http.ResponseWriter, req *http.Request, kind string) {
	var filters map[string]map[string]bool
	if text := req.URL.Query().Get("filters"); text != "" {
		if err := json.Unmarshal([]byte(text), &filters); err != nil {
			reply(w, http.StatusBadRequest, message(err.Error()))
			return
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	found := []map[string]any{}
	for id, labels := range d.objects[kind] {
		if d.IgnoreFilters || matches(labels, filters["label"]) {
			found = append(found, map[string]any{"Id": id, "Labels": labels, "RepoTags": d.Names[id]})
		}
	}
	reply(w, http.StatusOK, found)
}

func (d *Daemon) remove(w http.ResponseWriter, kind, id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch _, has := d.objects[kind][id]; {
	case !has:
		reply(w, http.StatusNotFound, message("no such object: "+id))
	case d.Refuse[id]:
		reply(w, http.StatusConflict, message(id+" is in use"))
	default:
		delete(d.objects[kind], id)
		d.signal()
		if kind == Images {
			reply(w, http.StatusOK, []map[string]string{{"Deleted": id}})
		} else {
			w.WriteHeader(http.StatusNoContent)
		}
	}
}

func matches(labels map[string]string, want map[string]bool) bool {
	for term := range want {
		name, value, exact := strings.Cut(term, "=")
		got, has := labels[name]
		if !has || exact && got != value {
			return false
		}
	}
	return true
}

func message(text string) map[string]string { return map[string]string{"message": text} }

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
