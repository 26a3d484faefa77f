// In development the page and the API have one origin, as they have in production.
const api = process.env.API ?? "http://localhost:8090";

export default {
  server: { proxy: { "/auth": api, "/api": api } },
};
