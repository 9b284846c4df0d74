@main
enum LoadTestMain {
    static func main() {}
}
