// The one test binary: it judges a set-up, with the requirements that the
// suites register. What is judged is chosen by the variables in the README.
package conformance

import (
	"os"
	"testing"

	"github.com/onsi/ginkgo/v2"

	"qmconformance/harness/run"
	_ "qmconformance/suites/access"
	_ "qmconformance/suites/hostile"
	_ "qmconformance/suites/identity"
	_ "qmconformance/suites/lifecycle"
	_ "qmconformance/suites/logging"
	_ "qmconformance/suites/reuse"
	_ "qmconformance/suites/services"
	_ "qmconformance/suites/stdio"
)

func TestMain(*testing.M) { os.Exit(run.Main(ginkgo.RunSpecs)) }
