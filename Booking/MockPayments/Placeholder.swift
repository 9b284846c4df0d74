@main
enum MockPaymentsMain {
    static func main() {}
}
