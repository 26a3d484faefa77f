import { createClient } from "@cloakroom/client";
import { entrance, notes } from "./pages.js";

const auth = createClient();
const app = document.querySelector("#app");

// The page is drawn from who is signed in, and again whenever that changes: here, in
// another tab, or because somebody signed this device out.
auth.onChange((identity) => (identity ? notes(app, auth, identity.account) : entrance(app, auth)));
const { error } = await auth.session();
if (error) app.textContent = error.detail;
