// The one test binary: it judges a set-up, with the requirements that the
// suites register. What is judged is chosen by the variables in the README.
package conformance

import (
	"os"
	"testing"

	"github.com/onsi/ginkgo/v2"

	"qmconformance/harness/run"
	_ "qmconformance/suites"
	_ "qmconformance/suites/benchmark"
)

func TestMain(*testing.M) { os.Exit(run.Main(ginkgo.RunSpecs)) }
