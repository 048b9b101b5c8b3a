import { readFileSync } from 'node:fs';
const m=readFileSync('src/kernels/module.ts','utf8').match(/'([^']+)'/)[1];
const b=Buffer.from(m,'base64');console.log('bytes',b.length);
const mod=new WebAssembly.Module(b);
// sections
let p=8;const leb=()=>{let r=0,s=0,x;do{x=b[p++];r|=(x&127)<<s;s+=7}while(x&128);return r};
while(p<b.length){const id=b[p++];const n=leb();console.log('section',id,n);p+=n}
const old=await import('node:child_process').then(c=>c.execSync("git show 680acf3:src/kernels/module.ts",{encoding:'utf8'})).catch(()=>'' );
const mm=old.match(/'([^']+)'/);console.log('before',mm&&Buffer.from(mm[1],'base64').length);
for(const [h,w,i,o,r,c] of [[16,16,16,768,1,1],[8,8,16,768,1,1],[32,32,64,768,1,1],[32,32,1,4096,1,1],[8,8,3,65536*3,1,1],[8,8,512,4096,3,5]]){
 const k=new WebAssembly.Instance(mod,{env:{memory:new WebAssembly.Memory({initial:1})}}).exports;
 const taps=(r-1)*c+(c>>1)+1;const bl=f=>Math.ceil(f/8)*32;const pad=f=>(h+r-1)*(w+c-1+4)*f*4;
 const need=Math.max(bl(o)*(1+taps*i)+128+pad(i), bl(i)*(1+taps*o)+128+pad(o), bl(o)*(taps*i+4*r+w)+pad(i));
 console.log([h,w,i,o,r,c],'scratchBytes',k.scratchBytes(h,w,i,o,r,c),'needed',need);
}
