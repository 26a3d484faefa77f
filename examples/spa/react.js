import { useSyncExternalStore } from "react";
import { createClient } from "@cloakroom/client";

export const auth = createClient();
let identity; // undefined until it is known, null for a visitor

const subscribe = (changed) => auth.onChange((now) => ((identity = now), changed()));
void auth.session();

export const useSession = () => useSyncExternalStore(subscribe, () => identity);
