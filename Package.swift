// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

/// A C library found on the system. Only the Swift target that wraps it may import it; HouseTests checks.
func cLibrary(_ name: String, pkgConfig: String? = nil, apt: String) -> Target {
    .systemLibrary(
        name: name,
        path: "Shared/CLibraries/\(name)",
        pkgConfig: pkgConfig,
        providers: [.apt([apt])]
    )
}

func module(
    _ name: String,
    at path: String,
    without excluded: [String] = [],
    uses: [Target.Dependency] = [],
    resources: [Resource] = []
) -> Target {
    .target(
        name: name,
        dependencies: uses,
        path: path,
        exclude: excluded,
        resources: resources,
        swiftSettings: strict
    )
}

func executable(
    _ name: String,
    at path: String,
    uses: [Target.Dependency],
    resources: [Resource] = []
) -> Target {
    .executableTarget(name: name, dependencies: uses, path: path, resources: resources, swiftSettings: strict)
}

func tests(_ name: String, uses: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: uses, path: "Tests/\(name)", swiftSettings: strict)
}

let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioTLS = Target.Dependency.product(name: "NIOTLS", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let httpClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let histogram = Target.Dependency.product(name: "Histogram", package: "hdrhistogram-swift")

let package = Package(
    name: "usher",
    products: [
        .executable(name: "usher", targets: ["UsherCLI"]),
        .executable(name: "usher-gateway", targets: ["GatewayServer"]),
        .executable(name: "usher-booking", targets: ["BookingServer"]),
        .executable(name: "usher-mock-payments", targets: ["MockPayments"]),
        .executable(name: "usher-loadtest", targets: ["LoadTest"]),
        // Preloaded by end-to-end tests, into programs whose clock is to be wrong.
        .library(name: "usher-wall-clock", type: .dynamic, targets: ["CWallClock"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio.git", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", exact: "2.37.6"),
        .package(url: "https://github.com/apple/swift-crypto.git", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log.git", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-http-types.git", exact: "1.8.0"),
        .package(url: "https://github.com/apple/swift-argument-parser.git", exact: "1.8.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", exact: "2.13.0"),
        .package(url: "https://github.com/swift-server/async-http-client.git", exact: "1.37.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", exact: "2.28.1", traits: []),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift.git", exact: "0.2.0"),
    ],
    targets: [
        // MARK: Shared
        // hiredis' .pc file carries a flag SwiftPM refuses, so it is found by header path instead.
        cLibrary("CHiredis", apt: "libhiredis-dev"),
        cLibrary("CLibPQ", pkgConfig: "libpq", apt: "libpq-dev"),
        cLibrary("CSodium", pkgConfig: "libsodium", apt: "libsodium-dev"),
        cLibrary("COpenSSL", pkgConfig: "libcrypto", apt: "libssl-dev"),
        module("UsherAPI", at: "Shared/API"),
        module("PlainJSON", at: "Shared/PlainJSON"),
        module("Signing", at: "Shared/Signing", uses: ["CSodium", "COpenSSL", crypto]),
        module("QueueTokens", at: "Shared/QueueTokens", uses: ["Signing"]),
        module("Redis", at: "Shared/Redis", uses: ["CHiredis", "Signing", nioCore, nioPosix, logging, lifecycle]),
        module(
            "Operations",
            at: "Shared/Operations",
            uses: [logging, lifecycle, unixSignals, nioCore, nioPosix, nioHTTP1]
        ),
        module("Serving", at: "Shared/Serving", uses: [hummingbirdCore, httpTypes, nioCore, nioHTTP1, logging]),
        module("Checking", at: "Shared/Checking", uses: ["Ordering", "PaymentLedger"]),
        // Services outside are spoken to through a client of their own, so that the edge keeps one codec.
        module("OutwardCalls", at: "Shared/OutwardCalls", uses: [httpClient, nioCore, nioHTTP1]),
        module("Supervision", at: "Shared/Supervision", uses: [logging]),
        executable(
            "UsherCLI",
            at: "Shared/CLI",
            uses: [
                "UsherAPI", "Signing", "QueueTokens", "Fairness", "Queueing", "Simulating", "Redis", "Operations",
                "Supervision", "Ordering",
                "Postgres", "BookingDatabase", "PaymentLedger", "Checking", argumentParser, logging, lifecycle,
                unixSignals,
                nioCore,
                nioPosix, nioHTTP1,
                httpClient,
            ],
            resources: [.embedInCode("Check/SQL")]
        ),

        // MARK: Gateway
        module("Queueing", at: "Gateway/Queueing", uses: ["Signing"]),
        module("Fairness", at: "Gateway/Fairness", uses: ["Signing"]),
        module("Simulating", at: "Gateway/Simulating", uses: ["Queueing", "Fairness", "Signing"]),
        module("RateLimiting", at: "Gateway/RateLimiting"),
        module("Challenges", at: "Gateway/Challenges", uses: ["Signing"]),
        module("EdgeHTTP", at: "Gateway/EdgeHTTP", uses: [nioCore]),
        executable(
            "GatewayServer",
            at: "Gateway/Server",
            uses: [
                "Queueing", "Fairness", "Simulating", "RateLimiting", "Challenges", "OutwardCalls", "EdgeHTTP",
                "Signing",
                "QueueTokens", "UsherAPI", "Redis", "Operations", nioCore, nioPosix, nioTLS, nioSSL, logging, lifecycle,
                unixSignals,
            ],
            resources: [.embedInCode("Functions")]
        ),

        // MARK: Booking
        module("Ordering", at: "Booking/Ordering", uses: ["Signing"]),
        module("Events", at: "Booking/Events", uses: ["Ordering", "Signing"]),
        module("Postgres", at: "Booking/Postgres", uses: ["CLibPQ", logging, lifecycle]),
        module(
            "BookingDatabase",
            at: "Booking/Database",
            uses: ["Ordering", "Events", "Postgres", logging],
            resources: [.embedInCode("SQL"), .embedInCode("Migrations")]
        ),
        module(
            "Holds",
            at: "Booking/Holds",
            uses: ["Ordering", "Redis", logging],
            resources: [.embedInCode("Functions")]
        ),
        module("PaymentLedger", at: "Booking/PaymentLedger", uses: ["PlainJSON"]),
        module(
            "Payments",
            at: "Booking/Payments",
            uses: ["Ordering", "PlainJSON", "Signing", httpClient, nioCore, nioPosix, nioHTTP1, logging]
        ),
        executable(
            "BookingServer",
            at: "Booking/Server",
            uses: [
                "Ordering", "Events", "Holds", "Postgres", "BookingDatabase", "Payments", "PlainJSON", "Signing",
                "QueueTokens", "UsherAPI", "Redis", "Operations", "Serving", hummingbird, hummingbirdCore, httpTypes,
                httpClient, nioCore, nioPosix, nioHTTP1, logging,
                lifecycle,
            ]
        ),
        executable(
            "MockPayments",
            at: "Booking/MockPayments",
            uses: [
                "PaymentLedger", "PlainJSON", "UsherAPI", "Signing", "Operations", "Serving", nioPosix, hummingbird,
                hummingbirdCore,
                httpTypes,
                httpClient, nioCore, nioHTTP1, logging, lifecycle,
            ]
        ),

        // MARK: Load test
        executable(
            "LoadTest",
            at: "loadtest/Sources",
            uses: [
                "UsherAPI", "Challenges", "Fairness", "Histories", "Signing", "Supervision", nioCore, nioPosix,
                nioHTTP1,
                histogram, argumentParser, logging,
            ]
        ),

        // MARK: Tests
        module(
            "TestSupport",
            at: "Tests/Support",
            without: ["Histories", "WallClock"],
            uses: ["Supervision", "Redis", "Postgres", "Ordering", logging, nioCore, nioPosix, nioHTTP1]
        ),
        module("Histories", at: "Tests/Support/Histories"),
        .target(name: "CWallClock", path: "Tests/Support/WallClock"),
        tests("HistoriesTests", uses: ["Histories"]),
        tests("SigningTests", uses: ["Signing"]),
        tests("QueueTokensTests", uses: ["QueueTokens", "Signing", "TestSupport"]),
        tests("RedisTests", uses: ["Redis", "TestSupport", nioCore, nioPosix, logging]),
        tests("OperationsTests", uses: ["Operations", logging]),
        tests("CheckingTests", uses: ["Checking", "Ordering", "PaymentLedger"]),
        tests("SupervisionTests", uses: ["Supervision", "TestSupport"]),
        tests("QueueingTests", uses: ["Queueing"]),
        tests("SimulatingTests", uses: ["Simulating", "Queueing"]),
        tests("FairnessTests", uses: ["Fairness", "Signing"]),
        tests("CLITests", uses: ["UsherCLI", "Fairness", nioCore, nioPosix, nioHTTP1]),
        tests("RateLimitingTests", uses: ["RateLimiting"]),
        tests("ChallengesTests", uses: ["Challenges", "Signing"]),
        module("EdgeReadings", at: "Tests/EdgeReadings", uses: ["EdgeHTTP", nioCore, nioHTTP1, nioEmbedded]),
        tests("EdgeHTTPTests", uses: ["EdgeHTTP", "EdgeReadings", nioCore, nioEmbedded]),
        tests(
            "GatewayTests",
            uses: [
                "GatewayServer", "Queueing", "Fairness", "Simulating", "RateLimiting", "Challenges", "OutwardCalls",
                "EdgeHTTP",
                "QueueTokens",
                "Signing", "UsherAPI", "Redis", "Operations", "TestSupport", "EdgeReadings", nioCore, nioEmbedded,
                nioPosix,
                nioHTTP1, nioSSL, nioTLS, logging, lifecycle, unixSignals, httpClient,
            ]
        ),
        tests("OrderingTests", uses: ["Ordering"]),
        tests("EventsTests", uses: ["Events", "Ordering", "Signing"]),
        tests("PostgresTests", uses: ["Postgres", "TestSupport", logging]),
        tests(
            "BookingDatabaseTests",
            uses: ["BookingDatabase", "Ordering", "Events", "Postgres", "TestSupport", logging]
        ),
        tests("HoldsTests", uses: ["Holds", "Ordering", "Redis", "TestSupport", logging, nioCore, nioPosix]),
        tests(
            "PaymentsTests",
            uses: [
                "Payments", "PaymentLedger", "PlainJSON", "MockPayments", "Ordering", "Operations", "Signing",
                "Supervision",
                "Serving", nioEmbedded, "TestSupport", hummingbird, hummingbirdCore, httpTypes, httpClient, nioCore,
                nioHTTP1, logging,
                lifecycle,
            ]
        ),
        tests(
            "BookingTests",
            uses: [
                "BookingServer", "BookingDatabase", "Holds", "Ordering", "Events", "Postgres", "Redis", "UsherAPI",
                "QueueTokens", "Signing", "Operations", "TestSupport", hummingbird, httpTypes, nioCore, nioPosix,
                nioHTTP1, logging,
            ]
        ),
        tests("LoadTestTests", uses: ["LoadTest", "UsherAPI", "Challenges", "Signing", nioCore, nioPosix, nioHTTP1]),
        tests(
            "EndToEndTests",
            uses: [
                "BookingServer", "UsherAPI", "QueueTokens", "Signing", "Supervision", "TestSupport", httpClient,
                nioCore, nioPosix, nioHTTP1, logging,
            ]
        ),
        tests("HouseTests", uses: []),
    ]
)

// `scripts/fuzz` builds with this set, in a folder of its own: code that reports its coverage, the gateway without its
// entry as a library, and the program that libFuzzer drives. No other build knows of any of this.
if let sanitizer = Context.environment["USHER_FUZZ"] {
    let reporting: Set = ["EdgeHTTP", "QueueTokens", "GatewayServer"]
    let sanitize = ["-sanitize=fuzzer"] + (sanitizer == "address" ? ["-sanitize=address"] : [])
    package.products = [.executable(name: "usher-fuzz", targets: ["Fuzz"])]
    package.targets = package.targets.filter { !$0.isTest }.map { target in
        guard reporting.contains(target.name) else { return target }
        return .target(
            name: target.name,
            dependencies: target.dependencies,
            path: target.path,
            exclude: target.type == .executable ? ["Gateway.swift"] : [],
            resources: target.resources,
            swiftSettings: strict + [.unsafeFlags(sanitize)]
        )
    }
    package.targets += [
        .systemLibrary(name: "CLibFuzzer", path: "Tests/Fuzz/CLibFuzzer"),
        .executableTarget(
            name: "Fuzz",
            dependencies: [
                "CLibFuzzer", "EdgeReadings", "EdgeHTTP", "GatewayServer", "RateLimiting", "QueueTokens", "Signing",
                "Operations", nioCore, nioEmbedded,
            ],
            path: "Tests/Fuzz",
            exclude: ["CLibFuzzer", "seeds", "http.dict"],
            swiftSettings: strict,
            linkerSettings: [.unsafeFlags(sanitize + ["-use-ld=lld"])]
        ),
    ]
}
