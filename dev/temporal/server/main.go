// A Temporal development server with the flags of `temporal server start-dev` that this project passes. It stands in
// where the Temporal CLI is neither installed nor downloadable, but Go modules are.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	uiserver "github.com/temporalio/ui-server/v2/server"
	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	uioptions "github.com/temporalio/ui-server/v2/server/server_options"
	uiversion "github.com/temporalio/ui-server/v2/server/version"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/dynamicconfig"
	"go.temporal.io/server/common/headers"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/membership/static"
	sqliteplugin "go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/schema/sqlite"
	"go.temporal.io/server/temporal"
	"google.golang.org/protobuf/types/known/durationpb"
)

// What the CLI registers its namespaces with is one day; a person debugging on Monday wants Friday's runs.
const retention = 7 * 24 * time.Hour

// list collects a flag that may be given several times.
type list []string

func (l *list) String() string         { return strings.Join(*l, ",") }
func (l *list) Set(value string) error { *l = append(*l, value); return nil }

type options struct {
	ip, uiIP, dbFilename, logLevel, logFormat, uiCodecEndpoint, uiAssetPath string
	port, uiPort                                                            int
	headless                                                                bool
	namespaces, searchAttributes, dynamicConfig, pragmas                    list
}

func main() {
	err := run(os.Args[1:])
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "temporal-server:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if slices.Equal(args, []string{"--version"}) {
		fmt.Printf("temporal-server (Server %s, UI %s)\n", headers.ServerVersion, uiversion.UIVersion)
		return nil
	}
	if len(args) < 2 || args[0] != "server" || args[1] != "start-dev" {
		return errors.New("expected: server start-dev [flags], or --version")
	}
	o, err := parse(args[2:])
	if err != nil {
		return err
	}
	// Before anything starts, so that a signal during the start is not lost.
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)

	server, err := newServer(o)
	if err != nil {
		return err
	}
	if err := server.Start(); err != nil {
		return err
	}
	defer func() { _ = server.Stop() }()

	failed := make(chan error, 1)
	if !o.headless {
		ui := newUI(o)
		defer ui.Stop()
		go func() { failed <- ui.Start() }()
	}
	select {
	case <-stop:
		return nil
	case err := <-failed:
		return fmt.Errorf("web ui: %w", err)
	}
}

func parse(args []string) (*options, error) {
	o := &options{}
	f := flag.NewFlagSet("server start-dev", flag.ContinueOnError)
	f.StringVar(&o.ip, "ip", "127.0.0.1", "address of the gRPC frontend")
	f.IntVar(&o.port, "port", 7233, "port of the gRPC frontend")
	f.StringVar(&o.uiIP, "ui-ip", "", "address of the Web UI; that of --ip unless given")
	f.IntVar(&o.uiPort, "ui-port", 0, "port of the Web UI; --port + 1000 unless given")
	f.BoolVar(&o.headless, "headless", false, "do not serve the Web UI")
	f.StringVar(&o.dbFilename, "db-filename", "", "SQLite file; in memory unless given")
	f.StringVar(&o.logLevel, "log-level", "warn", "debug, info, warn, error or never")
	f.StringVar(&o.logFormat, "log-format", "text", "text, pretty or json")
	f.StringVar(&o.uiCodecEndpoint, "ui-codec-endpoint", "", "codec server of the Web UI")
	f.StringVar(&o.uiAssetPath, "ui-asset-path", "", "folder of Web UI assets to serve instead of the built-in ones")
	f.Var(&o.namespaces, "namespace", "namespace to register besides `default`; repeatable")
	f.Var(&o.searchAttributes, "search-attribute", "search attribute to register, `Name=Type`; repeatable")
	f.Var(&o.dynamicConfig, "dynamic-config-value", "server setting, `key=JSON`; repeatable")
	f.Var(&o.pragmas, "sqlite-pragma", "`name=value`; repeatable")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if f.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	if !slices.Contains(o.namespaces, "default") {
		o.namespaces = append(o.namespaces, "default")
	}
	if o.uiIP == "" {
		o.uiIP = o.ip
	}
	if o.uiPort == 0 {
		o.uiPort = o.port + 1000
	}
	return o, nil
}

func newServer(o *options) (temporal.Server, error) {
	dynamic, err := parseDynamicConfig(o.dynamicConfig)
	if err != nil {
		return nil, err
	}
	database, err := prepareDatabase(o)
	if err != nil {
		return nil, err
	}
	services := map[string]config.Service{}
	hosts := map[primitives.ServiceName]static.Hosts{}
	for _, name := range temporal.DefaultServices {
		rpc := config.RPC{BindOnIP: "127.0.0.1"}
		if name == string(primitives.FrontendService) {
			rpc.BindOnIP, rpc.GRPCPort = o.ip, o.port
		} else if rpc.GRPCPort, err = freePort(); err != nil {
			return nil, err
		}
		services[name] = config.Service{RPC: rpc}
		hosts[primitives.ServiceName(name)] = static.SingleLocalHost(reachable(rpc.BindOnIP, rpc.GRPCPort))
	}
	settings := &config.Config{
		Services: services,
		Persistence: config.Persistence{
			DefaultStore:     sqliteplugin.PluginName,
			VisibilityStore:  sqliteplugin.PluginName,
			NumHistoryShards: 1,
			DataStores:       map[string]config.DataStore{sqliteplugin.PluginName: {SQL: database}},
		},
		ClusterMetadata: &cluster.Config{
			FailoverVersionIncrement: 10,
			MasterClusterName:        clusterName,
			CurrentClusterName:       clusterName,
			ClusterInformation: map[string]cluster.ClusterInformation{clusterName: {
				Enabled:                true,
				InitialFailoverVersion: 1,
				RPCAddress:             reachable(o.ip, o.port),
			}},
		},
		DCRedirectionPolicy: config.DCRedirectionPolicy{Policy: "noop"},
		Archival: config.Archival{
			History:    config.HistoryArchival{State: "disabled"},
			Visibility: config.VisibilityArchival{State: "disabled"},
		},
		NamespaceDefaults: config.NamespaceDefaults{Archival: config.ArchivalNamespaceDefaults{
			History:    config.HistoryArchivalNamespaceDefaults{State: "disabled"},
			Visibility: config.VisibilityArchivalNamespaceDefaults{State: "disabled"},
		}},
	}
	return temporal.NewServer(
		temporal.WithConfig(settings),
		temporal.ForServices(temporal.DefaultServices),
		temporal.WithStaticHosts(hosts),
		temporal.WithDynamicConfigClient(dynamic),
		temporal.WithLogger(newLogger(o)),
		temporal.WithAuthorizer(authorization.NewNoopAuthorizer()),
		temporal.WithClaimMapper(func(*config.Config) authorization.ClaimMapper { return authorization.NewNoopClaimMapper() }),
	)
}

const clusterName = "active"

// prepareDatabase creates the schema where there is none, and the namespaces that are missing.
func prepareDatabase(o *options) (*config.SQL, error) {
	database := &config.SQL{
		PluginName:        sqliteplugin.PluginName,
		DatabaseName:      o.dbFilename,
		ConnectAttributes: map[string]string{"mode": "rwc"},
	}
	if o.dbFilename == "" {
		database.DatabaseName = "memory"
		database.ConnectAttributes = map[string]string{"mode": "memory", "cache": "shared"}
	}
	for _, pragma := range o.pragmas {
		name, value, ok := strings.Cut(pragma, "=")
		if name = strings.ToLower(name); !ok || (name != "journal_mode" && name != "synchronous") {
			return nil, fmt.Errorf("--sqlite-pragma %q: expected journal_mode=… or synchronous=…", pragma)
		}
		database.ConnectAttributes[name] = value
	}
	if _, err := os.Stat(o.dbFilename); o.dbFilename != "" && errors.Is(err, os.ErrNotExist) {
		if err := sqlite.SetupSchema(database); err != nil {
			_ = os.Remove(o.dbFilename) // half a schema would be taken for a whole one at the next start
			return nil, fmt.Errorf("%s: %w", o.dbFilename, err)
		}
	}
	attributes := map[string]enumspb.IndexedValueType{}
	for _, attribute := range o.searchAttributes {
		name, typeName, _ := strings.Cut(attribute, "=")
		kind, err := enumspb.IndexedValueTypeFromString(typeName)
		if err != nil || name == "" || kind == enumspb.INDEXED_VALUE_TYPE_UNSPECIFIED {
			return nil, fmt.Errorf("--search-attribute %q: expected Name=Type", attribute)
		}
		attributes[name] = kind
	}
	var namespaces []*sqlite.NamespaceConfig
	for _, name := range o.namespaces {
		namespace, err := sqlite.NewNamespaceConfig(clusterName, name, false, attributes)
		if err != nil {
			return nil, fmt.Errorf("namespace %s: %w", name, err)
		}
		namespace.Detail.Config.Retention = durationpb.New(retention)
		namespaces = append(namespaces, namespace)
	}
	return database, sqlite.CreateNamespaces(database, namespaces...)
}

func parseDynamicConfig(settings []string) (dynamicconfig.StaticClient, error) {
	// A server of several hosts caches search attributes for a minute; here a fresh one must work at once.
	values := dynamicconfig.StaticClient{dynamicconfig.MakeKey("system.forceSearchAttributesCacheRefreshOnRead"): true}
	for _, setting := range settings {
		key, text, _ := strings.Cut(setting, "=")
		var value any
		decoder := json.NewDecoder(bytes.NewBufferString(text))
		decoder.UseNumber()
		if err := decoder.Decode(&value); err != nil || key == "" {
			return nil, fmt.Errorf("--dynamic-config-value %q: expected key=JSON", setting)
		}
		values[dynamicconfig.MakeKey(key)] = withInts(value)
	}
	return values, nil
}

// withInts turns whole numbers into Go ints: given a float64, the server silently keeps its default.
func withInts(value any) any {
	switch v := value.(type) {
	case json.Number:
		if whole, err := strconv.Atoi(v.String()); err == nil {
			return whole
		}
		float, _ := v.Float64()
		return float
	case map[string]any:
		for key := range v {
			v[key] = withInts(v[key])
		}
	case []any:
		for i := range v {
			v[i] = withInts(v[i])
		}
	}
	return value
}

func newLogger(o *options) log.Logger {
	if o.logLevel == "never" {
		return log.NewNoopLogger()
	}
	format := "console"
	if o.logFormat == "json" {
		format = "json"
	}
	return log.NewZapLogger(log.BuildZapLogger(log.Config{Level: o.logLevel, Format: format}))
}

func newUI(o *options) *uiserver.Server {
	return uiserver.NewServer(uioptions.WithConfigProvider(&uiconfig.Config{
		Host:                o.uiIP,
		Port:                o.uiPort,
		TemporalGRPCAddress: reachable(o.ip, o.port),
		EnableUI:            true,
		UIAssetPath:         o.uiAssetPath,
		DefaultNamespace:    o.namespaces[0],
		Codec:               uiconfig.Codec{Endpoint: o.uiCodecEndpoint},
		CORS:                uiconfig.CORS{CookieInsecure: true},
		DisableNewsFetch:    true,
		HideLogs:            true,
	}))
}

// reachable is the address under which this machine reaches what listens on ip.
func reachable(ip string, port int) string {
	if parsed := net.ParseIP(ip); parsed != nil && parsed.IsUnspecified() {
		ip = "127.0.0.1"
	}
	return net.JoinHostPort(ip, strconv.Itoa(port))
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}
