package reaper

import (
	"encoding/json"
	"net/http"
	"testing"

	. "github.com/onsi/gomega"

	"qmconformance/harness/reaper/dockertest"
)

// A container that is removed while it starts leaves an endpoint behind that no list
// shows, and that goes by the container's name alone.
func TestANetworkGoesThoughAContainerThatIsNoMoreIsAttached(t *testing.T) {
	g := NewWithT(t)
	d := dockertest.New()
	d.Add(dockertest.Networks, "net", map[string]string{LabelOurs: Ours, LabelSession: "abc"})
	attached, removed := true, false
	d.Extra["POST /networks/net/disconnect"] = func(w http.ResponseWriter, req *http.Request) {
		var asked struct {
			Container string
			Force     bool
		}
		g.Expect(json.NewDecoder(req.Body).Decode(&asked)).To(Succeed())
		if asked.Force && asked.Container == ContainerName("abc", 3) {
			attached = false
			return
		}
		http.Error(w, `{"message": "endpoint `+asked.Container+` not found"}`, http.StatusNotFound)
	}
	d.Extra["DELETE /networks/net"] = func(w http.ResponseWriter, _ *http.Request) {
		if attached {
			http.Error(w, `{"message": "error while removing network: network x id net has active endpoints"}`, http.StatusForbidden)
			return
		}
		removed = true
		w.WriteHeader(http.StatusNoContent)
	}
	r := remover{docker: d.Serve(t), limits: plenty}
	g.Expect(r.remove(t.Context(), object{kindNetwork, "net", map[string]string{LabelOurs: Ours, LabelSession: "abc"}})).To(Succeed())
	g.Expect(removed).To(BeTrue())
}
