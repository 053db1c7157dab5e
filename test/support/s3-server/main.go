// Serves a folder as an S3 server for the tests: versitygw with a folder behind it and nothing else, which takes half as long to build as its own program.
//
//	versitygw --port 127.0.0.1:7070 --access KEY --secret SECRET posix FOLDER
//
// takes the arguments of that program, so that either may stand in the other's place.
package main

import (
	"context"
	"flag"
	"log"
	"os"
	"os/signal"
	"syscall"

	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/embedgw"
)

func main() {
	port := flag.String("port", "127.0.0.1:7070", "address to listen at")
	access := flag.String("access", "", "access key")
	secret := flag.String("secret", "", "secret key")
	keepAlive := flag.Bool("keep-alive", false, "keep connections")
	quiet := flag.Bool("quiet", false, "say nothing of requests")
	flag.Parse()
	if flag.NArg() != 2 || flag.Arg(0) != "posix" {
		log.Fatalf("expected `posix FOLDER` and found %q", flag.Args())
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	files, err := posix.New(flag.Arg(1), meta.XattrMeta{}, posix.PosixOpts{NewDirPerm: 0o755, Concurrency: 5000})
	if err != nil {
		log.Fatal(err)
	}
	err = embedgw.RunVersityGW(ctx, files, &embedgw.Config{
		RootUserAccess:    *access,
		RootUserSecret:    *secret,
		Ports:             []string{*port},
		MaxConnections:    250000,
		MaxRequests:       100000,
		MultipartMaxParts: 10000,
		KeepAlive:         *keepAlive,
		Quiet:             *quiet,
	})
	if err != nil && ctx.Err() == nil {
		log.Fatal(err)
	}
}
