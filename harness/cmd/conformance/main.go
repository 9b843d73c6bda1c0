// Command conformance is the whole harness as one program; see package cli.
package main

import (
	"os"

	"github.com/onsi/ginkgo/v2"

	"qmconformance/harness/cli"
	_ "qmconformance/suites"
	_ "qmconformance/suites/benchmark"
)

func main() { os.Exit(cli.Main(os.Args[1:], ginkgo.RunSpecs)) }
