// Command faults runs the fault matrix in the harness's directory; see package
// matrix.
package main

import (
	"os"

	"qmconformance/harness/matrix"
)

func main() { os.Exit(matrix.Main(nil)) }
