import Hummingbird
import UsherAPI

struct AccountRoutes {
    let accounts: Accounts
    let check: AccountCheck

    func add(to routes: RouterGroup<BookingContext>) {
        routes.post("auth/register") { request, _ in
            let body = try request.decode(CredentialsRequest.self, from: try await request.bytes())
            return Response.json(try await accounts.register(body), status: 201)
        }
        routes.post("auth/login") { request, _ in
            let body = try request.decode(CredentialsRequest.self, from: try await request.bytes())
            return Response.json(try await accounts.logIn(body))
        }
        routes.post("auth/refresh") { request, _ in
            let body = try request.decode(RefreshRequest.self, from: try await request.bytes())
            return Response.json(try await accounts.refresh(body))
        }
        routes.post("auth/logout") { request, _ in
            let body = try request.decode(RefreshRequest.self, from: try await request.bytes())
            try await accounts.logOut(body)
            return Response.noContent
        }
        routes.get("me") { request, _ in
            Response.json(try await accounts.me(try check.caller(of: request).account))
        }
    }
}
