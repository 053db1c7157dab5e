// Serves buckets in memory as Google's storage does, for the tests: fake-gcs-server without its other doors, which takes less long to build than its own program.
//
//	fake-gcs-server -host 127.0.0.1 -port 4443 -public-host 127.0.0.1:4443 -external-url http://127.0.0.1:4443
//
// takes arguments of that program, so that either may stand in the other's place.
package main

import (
	"flag"
	"log"
	"os"
	"os/signal"
	"syscall"

	"github.com/fsouza/fake-gcs-server/fakestorage"
)

func main() {
	scheme := flag.String("scheme", "http", "http alone")
	host := flag.String("host", "127.0.0.1", "address to listen at")
	port := flag.Uint("port", 4443, "port to listen at")
	backend := flag.String("backend", "memory", "memory alone")
	publicHost := flag.String("public-host", "", "host in addresses of objects")
	externalURL := flag.String("external-url", "", "what addresses begin with")
	flag.String("log-level", "error", "is taken and not used")
	flag.Parse()
	if *scheme != "http" || *backend != "memory" {
		log.Fatalf("expected -scheme http and -backend memory, found %s and %s", *scheme, *backend)
	}
	server, err := fakestorage.NewServerWithOptions(fakestorage.Options{
		Scheme:      *scheme,
		Host:        *host,
		Port:        uint16(*port),
		PublicHost:  *publicHost,
		ExternalURL: *externalURL,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Stop()
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM, os.Interrupt)
	<-ended
}
