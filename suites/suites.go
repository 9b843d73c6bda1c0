// Package suites holds the rules of every area: importing it registers them all.
package suites

import (
	_ "qmconformance/suites/access"
	_ "qmconformance/suites/hostile"
	_ "qmconformance/suites/identity"
	_ "qmconformance/suites/lifecycle"
	_ "qmconformance/suites/logging"
	_ "qmconformance/suites/reuse"
	_ "qmconformance/suites/services"
	_ "qmconformance/suites/stdio"
)
